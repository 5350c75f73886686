import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { embedding } from '../nn/embedding.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { type LayerEnd, postNormLayer } from '../nn/post-norm-layer.ts'
import type { Architecture, HeadWiring } from './architecture.ts'
import { countingPositions } from './architecture.ts'
import { probability, wholeHeads } from './config-fields.ts'
import { pooledHead } from './first-token-head.ts'
import { maskedLmHead } from './masked-lm.ts'

/** The fields of `config.json` that the BERT family shares, under HF's names. */
export const bertConfig = z
  .object({
    vocab_size: z.number().int().positive(),
    hidden_size: z.number().int().positive(),
    num_hidden_layers: z.number().int().positive(),
    num_attention_heads: z.number().int().positive(),
    intermediate_size: z.number().int().positive(),
    max_position_embeddings: z.number().int().positive(),
    type_vocab_size: z.number().int().positive().default(2),
    hidden_act: z.string().default('gelu'),
    hidden_dropout_prob: probability.default(0.1),
    attention_probs_dropout_prob: probability.default(0.1),
    classifier_dropout: probability.nullish(),
    layer_norm_eps: z.number().default(1e-12),
    initializer_range: z.number().default(0.02),
    position_embedding_type: z.literal('absolute').default('absolute'),
    is_decoder: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(...wholeHeads('num_attention_heads', 'hidden_size'))
export type BertConfig = z.infer<typeof bertConfig>

/** What the BERT family reads off its config alike. */
export const bertSizes = (config: BertConfig) => ({
  layers: config.num_hidden_layers,
  hidden: config.hidden_size,
  vocabularySize: config.vocab_size,
  ...(config.type_vocab_size > 0 && { typeVocabularySize: config.type_vocab_size }),
  maxPositions: config.max_position_embeddings,
  initializerRange: config.initializer_range,
  positions: countingPositions,
})

/** The widths of a masked-LM head in the BERT family; `size` is the embedding's. */
export const bertVocabulary = (config: BertConfig, size: number) => ({
  hidden: config.hidden_size,
  size,
  vocabulary: config.vocab_size,
  epsilon: config.layer_norm_eps,
})

/** BERT's masked-LM head, under `cls.predictions`; `words` is the module of the word embeddings, `size` wide. */
export const predictionsHead = (config: BertConfig, size: number, words: string): HeadWiring =>
  maskedLmHead({
    modules: ['cls'],
    dense: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.LayerNorm',
    activation: config.hidden_act,
    bias: 'cls.predictions.bias',
    decoder: config.tie_word_embeddings ? words : 'cls.predictions.decoder',
    ...bertVocabulary(config, size),
  })

/** Embeddings of words, types where there are any, and positions, their norm and dropout; `size` is the embeddings' width. */
export function bertEmbeddings(network: Network, name: string, config: BertConfig, size: number): Value {
  const { stream } = network
  const table = (kind: string, indices: Value, rows: number): Value =>
    embedding(network, indices, { name: `${name}.${kind}_embeddings`, rows, size })
  const words = network.embedding(
    { kind: 'embedding', name: `${name}.word_embeddings`, layer: null, hidden: size },
    { value: table('word', stream.ids, config.vocab_size) },
  )
  const typed = config.type_vocab_size > 0 ? add(words, table('token_type', stream.types, config.type_vocab_size)) : words
  const sum = add(typed, table('position', stream.positions, config.max_position_embeddings))
  const normed = norm(network, sum, { name: `${name}.LayerNorm`, layer: null, size, epsilon: config.layer_norm_eps })
  const value = network.dropout(normed, config.hidden_dropout_prob)
  return network.embedding({ kind: 'embedding', name, layer: null, hidden: size, whole: true }, { value })
}

/** The second part of BERT's layer `at`, after its attention. */
export const bertLayerEnd = (config: BertConfig, at: string, layer: number): LayerEnd => {
  const ending = (module: string) => ({
    module,
    dense: `${module}.dense`,
    norm: `${module}.LayerNorm`,
    dropout: config.hidden_dropout_prob,
  })
  return {
    layer,
    hidden: config.hidden_size,
    inner: config.intermediate_size,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    attended: ending(`${at}.attention.output`),
    up: `${at}.intermediate.dense`,
    fed: ending(`${at}.output`),
  }
}

/** The stack of post-norm encoder layers. */
export function bertEncoder(network: Network, embedded: Value, name: string, config: BertConfig): Value {
  let x = embedded
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `${name}.layer.${layer}`
    const self = `${at}.attention.self`
    x = postNormLayer(network, x, {
      ...bertLayerEnd(config, at, layer),
      self: {
        name: self,
        query: `${self}.query`,
        key: `${self}.key`,
        value: `${self}.value`,
        heads: config.num_attention_heads,
        dropout: config.attention_probs_dropout_prob,
      },
    })
  }
  return x
}

/** Logits for each token: dropout and one linear map. */
export function tokenHead(module: string, hidden: number, dropout: number): HeadWiring {
  return {
    modules: [module],
    logits: (network, x, labels) =>
      linear(network, network.dropout(x, dropout), { name: module, role: 'head', layer: null, in: hidden, out: labels }),
  }
}

/** The dropout before a head, as HF's configs give it. */
export const headDropout = (config: BertConfig): number => config.classifier_dropout ?? config.hidden_dropout_prob

/** BERT (Devlin et al. 2019). */
export const bert: Architecture = {
  modelType: 'bert',
  wire(json) {
    const config = bertConfig.parse(json)
    const hidden = config.hidden_size
    return {
      prefix: 'bert',
      ...bertSizes(config),
      encode: (network) => bertEncoder(network, bertEmbeddings(network, 'bert.embeddings', config, hidden), 'bert.encoder', config),
      heads: {
        'sequence-classification': pooledHead('bert.pooler.dense', hidden, headDropout(config)),
        'multiple-choice': pooledHead('bert.pooler.dense', hidden, headDropout(config)),
        'token-classification': tokenHead('classifier', hidden, headDropout(config)),
        'question-answering': tokenHead('qa_outputs', hidden, 0),
        'masked-lm': predictionsHead(config, hidden, 'bert.embeddings.word_embeddings'),
      },
    }
  },
}
