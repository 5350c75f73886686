import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add, tanh } from '../graph/ops/elementwise.ts'
import { gather } from '../graph/ops/movement.ts'
import { activation } from '../nn/activation.ts'
import { attention } from '../nn/attention.ts'
import { embedding } from '../nn/embedding.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { residual } from '../nn/residual.ts'
import type { Architecture, HeadWiring } from './architecture.ts'
import { countingPositions } from './architecture.ts'
import { maskedLmHead } from './masked-lm.ts'

/** The fields of `config.json` that the BERT family shares, under HF's names. */
export const bertConfig = z.object({
  vocab_size: z.number().int().positive(),
  hidden_size: z.number().int().positive(),
  num_hidden_layers: z.number().int().positive(),
  num_attention_heads: z.number().int().positive(),
  intermediate_size: z.number().int().positive(),
  max_position_embeddings: z.number().int().positive(),
  type_vocab_size: z.number().int().positive().default(2),
  hidden_act: z.string().default('gelu'),
  hidden_dropout_prob: z.number().default(0.1),
  attention_probs_dropout_prob: z.number().default(0.1),
  classifier_dropout: z.number().nullish(),
  layer_norm_eps: z.number().default(1e-12),
  initializer_range: z.number().default(0.02),
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(true),
})
export type BertConfig = z.infer<typeof bertConfig>

/** What the BERT family reads off its config alike. */
export const bertSizes = (config: BertConfig) => ({
  layers: config.num_hidden_layers,
  hidden: config.hidden_size,
  vocabularySize: config.vocab_size,
  typeVocabularySize: config.type_vocab_size,
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

/** BERT's masked-LM head, under `cls.predictions`; `decoder` is the module of the words' vectors, `size` wide. */
export const predictionsHead = (config: BertConfig, size: number, decoder: string): HeadWiring =>
  maskedLmHead({
    modules: ['cls'],
    dense: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.LayerNorm',
    activation: config.hidden_act,
    bias: 'cls.predictions.bias',
    decoder,
    ...bertVocabulary(config, size),
  })

/** Word, type and position embeddings, their norm and dropout; `size` is the embeddings' width. */
export function bertEmbeddings(network: Network, name: string, config: BertConfig, size: number): Value {
  const { stream } = network
  const table = (kind: string, indices: Value, rows: number): Value =>
    embedding(network, indices, { name: `${name}.${kind}_embeddings`, rows, size })
  const words = network.embedding(
    { kind: 'embedding', name: `${name}.word_embeddings`, layer: null, hidden: size },
    { value: table('word', stream.ids, config.vocab_size) },
  )
  const sum = add(
    add(words, table('token_type', stream.types, config.type_vocab_size)),
    table('position', stream.positions, config.max_position_embeddings),
  )
  const normed = norm(network, sum, { name: `${name}.LayerNorm`, layer: null, size, epsilon: config.layer_norm_eps })
  const value = network.dropout(normed, config.hidden_dropout_prob)
  return network.embedding({ kind: 'embedding', name, layer: null, hidden: size, whole: true }, { value })
}

/** What a post-norm layer makes of its input x and of what its attention read, `[tokens, hidden]` both: the rest of the layer. */
export function bertLayerEnd(network: Network, x: Value, context: Value, at: string, layer: number, config: BertConfig): Value {
  const { hidden_size: hidden, intermediate_size: inner, layer_norm_eps: epsilon } = config
  const ending = (module: string) => ({
    module,
    dense: `${module}.dense`,
    layer,
    dropout: config.hidden_dropout_prob,
    norm: (sum: Value): Value => norm(network, sum, { name: `${module}.LayerNorm`, layer, size: hidden, epsilon }),
  })
  const attended = linear(network, context, {
    name: `${at}.attention.output.dense`,
    role: 'attention-output',
    layer,
    in: hidden,
    out: hidden,
  })
  const middle = residual(network, x, attended, { role: 'attention', ...ending(`${at}.attention.output`) })
  const up = linear(network, middle, { name: `${at}.intermediate.dense`, role: 'up', layer, in: hidden, out: inner })
  const acted = activation(config.hidden_act)(up)
  const down = linear(network, acted, { name: `${at}.output.dense`, role: 'down', layer, in: inner, out: hidden })
  return residual(network, middle, down, { role: 'feed-forward', ...ending(`${at}.output`) })
}

/** The stack of post-norm encoder layers. */
export function bertEncoder(network: Network, embedded: Value, name: string, config: BertConfig): Value {
  const { hidden_size: hidden } = config
  let x = embedded
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `${name}.layer.${layer}`
    const square = { layer, in: hidden, out: hidden }
    const query = linear(network, x, { name: `${at}.attention.self.query`, role: 'query', ...square })
    const key = linear(network, x, { name: `${at}.attention.self.key`, role: 'key', ...square })
    const value = linear(network, x, { name: `${at}.attention.self.value`, role: 'value', ...square })
    const context = attention(network, query, key, value, {
      name: `${at}.attention.self`,
      layer,
      heads: config.num_attention_heads,
      dropout: config.attention_probs_dropout_prob,
    })
    x = bertLayerEnd(network, x, context, at, layer, config)
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

/** HF's heads without a pooler (RoBERTa, ELECTRA): dense, activation and projection on the first token, with dropout around. */
export function denseHead(hidden: number, dropout: number, between: (x: Value) => Value): HeadWiring {
  return {
    modules: ['classifier'],
    logits: (network, x, labels) => {
      const first = network.dropout(gather(x, network.stream.rowStart), dropout)
      const dense = between(linear(network, first, { name: 'classifier.dense', role: 'head', layer: null, in: hidden, out: hidden }))
      return linear(network, network.dropout(dense, dropout), {
        name: 'classifier.out_proj',
        role: 'head',
        layer: null,
        in: hidden,
        out: labels,
      })
    },
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
        'sequence-classification': {
          modules: ['classifier'],
          logits: (network, x, labels) => {
            const first = gather(x, network.stream.rowStart)
            const pooled = tanh(linear(network, first, { name: 'bert.pooler.dense', role: 'pooler', layer: null, in: hidden, out: hidden }))
            const dropped = network.dropout(pooled, headDropout(config))
            return linear(network, dropped, { name: 'classifier', role: 'head', layer: null, in: hidden, out: labels })
          },
        },
        'token-classification': tokenHead('classifier', hidden, headDropout(config)),
        'question-answering': tokenHead('qa_outputs', hidden, 0),
        'masked-lm': predictionsHead(
          config,
          hidden,
          config.tie_word_embeddings ? 'bert.embeddings.word_embeddings' : 'cls.predictions.decoder',
        ),
      },
    }
  },
}
