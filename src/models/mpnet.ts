import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import type { Scored } from '../nn/attention.ts'
import type { Network } from '../nn/network.ts'
import { postNormLayer } from '../nn/post-norm-layer.ts'
import { t5BucketBias } from '../nn/t5-buckets.ts'
import type { Architecture } from './architecture.ts'
import { bertConfig, bertEmbeddings, bertLayerEnd, bertSizes, bertVocabulary, tokenHead } from './bert.ts'
import { denseHead, pooledHead } from './first-token-head.ts'
import { maskedLmHead } from './masked-lm.ts'
import { offsetPositions } from './roberta.ts'

/** What HF has whatever a config says: buckets of distances, the distance from which on all are one, and the token of padding. */
const BUCKETS = 32
const FURTHEST = 128
const PADDING = 1

const mpnetConfig = bertConfig.safeExtend({
  relative_attention_num_buckets: z.number().int().min(BUCKETS).default(BUCKETS),
  type_vocab_size: z
    .any()
    .optional()
    .transform(() => 0),
})
type Config = z.infer<typeof mpnetConfig>

/** BERT's layers with scores that all shift by the tokens' distance. */
function encoder(network: Network, embedded: Value, config: Config): Value {
  const { num_attention_heads: heads, hidden_dropout_prob: dropout } = config
  const buckets = { count: BUCKETS, furthest: FURTHEST, both: true }
  const rows = network.parameter('mpnet.encoder.relative_attention_bias.weight', [config.relative_attention_num_buckets, heads], null)
  const bias = (scored: Scored): Value => t5BucketBias(rows, buckets, scored)
  let x = embedded
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `mpnet.encoder.layer.${layer}`
    const [attention, name] = [`${at}.attention`, `${at}.attention.attn`]
    x = postNormLayer(network, x, {
      ...bertLayerEnd(config, at, layer),
      self: {
        ...{ name, query: `${name}.q`, key: `${name}.k`, value: `${name}.v` },
        ...{ heads, dropout: config.attention_probs_dropout_prob, bias },
      },
      attended: { dense: `${name}.o`, norm: `${attention}.LayerNorm`, module: attention, dropout },
    })
  }
  return x
}

/** MPNet (Song et al. 2020). */
export const mpnet: Architecture = {
  modelType: 'mpnet',
  wire(json) {
    const config = mpnetConfig.parse(json)
    const { hidden_size: hidden, hidden_dropout_prob: dropout } = config
    return {
      prefix: 'mpnet',
      ...bertSizes(config),
      maxPositions: config.max_position_embeddings - PADDING - 1,
      positions: offsetPositions(PADDING),
      encode: (network) => encoder(network, bertEmbeddings(network, 'mpnet.embeddings', config, hidden), config),
      heads: {
        'sequence-classification': denseHead(hidden, dropout, 'tanh'),
        'multiple-choice': pooledHead('mpnet.pooler.dense', hidden, dropout),
        'token-classification': tokenHead('classifier', hidden, dropout),
        'question-answering': tokenHead('qa_outputs', hidden, 0),
        'masked-lm': maskedLmHead({
          modules: ['lm_head'],
          dense: 'lm_head.dense',
          norm: 'lm_head.layer_norm',
          activation: 'gelu',
          bias: 'lm_head.bias',
          decoder: config.tie_word_embeddings ? 'mpnet.embeddings.word_embeddings' : 'lm_head.decoder',
          ...bertVocabulary(config, hidden),
        }),
      },
    }
  },
}
