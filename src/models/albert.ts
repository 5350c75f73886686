import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { postNormLayer } from '../nn/post-norm-layer.ts'
import type { Architecture } from './architecture.ts'
import { bertConfig, bertEmbeddings, bertSizes, bertVocabulary, tokenHead } from './bert.ts'
import { probability } from './config-fields.ts'
import { pooledHead } from './first-token-head.ts'
import { maskedLmHead } from './masked-lm.ts'

const albertConfig = bertConfig
  .safeExtend({
    embedding_size: z.number().int().positive().default(128),
    num_hidden_groups: z.number().int().positive().default(1),
    inner_group_num: z.number().int().positive().default(1),
    hidden_act: z.string().default('gelu_new'),
    hidden_dropout_prob: probability.default(0),
    attention_probs_dropout_prob: probability.default(0),
    classifier_dropout_prob: probability.nullable().default(0.1),
  })
  .refine(({ num_hidden_groups: groups, num_hidden_layers: layers }) => groups <= layers, {
    path: ['num_hidden_groups'],
    message: 'there cannot be more groups than layers',
  })
type Config = z.infer<typeof albertConfig>

/**
 * Layers that share their weights: each group's layers in turn, as often as it has its share of `num_hidden_layers`. A shared layer is
 * one site with several calls, so that what a method adds there is shared, too, as where HF PEFT wraps the one module.
 */
function encoder(network: Network, embedded: Value, config: Config): Value {
  const { hidden_size: hidden, embedding_size: size, num_hidden_groups: groups, inner_group_num: inGroup } = config
  const projection = { name: 'albert.encoder.embedding_hidden_mapping_in', role: 'projection', layer: null, in: size, out: hidden } as const
  const repetitions = Array.from({ length: config.num_hidden_layers }, (_, i) => Math.floor((i * groups) / config.num_hidden_layers))
  const layers = repetitions.flatMap((group) => Array.from({ length: inGroup }, (_, i) => ({ group, i })))
  return layers.reduce(
    (x, { group, i }) => {
      const at = `albert.encoder.albert_layer_groups.${group}.albert_layers.${i}`
      const self = `${at}.attention`
      return postNormLayer(network, x, {
        layer: group * inGroup + i,
        hidden,
        inner: config.intermediate_size,
        activation: config.hidden_act,
        epsilon: config.layer_norm_eps,
        self: {
          ...{ name: self, query: `${self}.query`, key: `${self}.key`, value: `${self}.value` },
          ...{ heads: config.num_attention_heads, dropout: config.attention_probs_dropout_prob },
        },
        attended: {
          ...{ dense: `${self}.dense`, norm: `${self}.LayerNorm` },
          ...{ module: `${self}.attention_adapters`, dropout: config.hidden_dropout_prob },
        },
        up: `${at}.ffn`,
        fed: { dense: `${at}.ffn_output`, norm: `${at}.full_layer_layer_norm`, module: `${at}.output_adapters`, dropout: null },
      })
    },
    linear(network, embedded, projection),
  )
}

/** ALBERT (Lan et al. 2020). */
export const albert: Architecture = {
  modelType: 'albert',
  wire(json) {
    const config = albertConfig.parse(json)
    const { hidden_size: hidden, embedding_size: size, classifier_dropout_prob: dropout } = config
    const pooled = pooledHead('albert.pooler', hidden, dropout ?? 0)
    return {
      prefix: 'albert',
      ...bertSizes(config),
      layers: config.num_hidden_groups * config.inner_group_num,
      encode: (network) => encoder(network, bertEmbeddings(network, 'albert.embeddings', config, size), config),
      heads: {
        'sequence-classification': pooled,
        'multiple-choice': pooled,
        'token-classification': tokenHead('classifier', hidden, dropout ?? config.hidden_dropout_prob),
        'question-answering': tokenHead('qa_outputs', hidden, 0),
        'masked-lm': maskedLmHead({
          modules: ['predictions'],
          dense: 'predictions.dense',
          norm: 'predictions.LayerNorm',
          activation: config.hidden_act,
          bias: 'predictions.bias',
          decoder: config.tie_word_embeddings ? 'albert.embeddings.word_embeddings' : 'predictions.decoder',
          ...bertVocabulary(config, size),
        }),
      },
    }
  },
}
