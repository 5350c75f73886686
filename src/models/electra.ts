import { z } from 'zod'
import { linear } from '../nn/linear.ts'
import type { Architecture } from './architecture.ts'
import { bertConfig, bertEmbeddings, bertEncoder, bertSizes, bertVocabulary, headDropout, tokenHead } from './bert.ts'
import { probability } from './config-fields.ts'
import { denseHead, firstTokenHead } from './first-token-head.ts'
import { maskedLmHead } from './masked-lm.ts'

const electraConfig = bertConfig.safeExtend({
  embedding_size: z.number().int().positive().default(128),
  summary_type: z.string().default('first'),
  summary_use_proj: z.boolean().default(true),
  /** A summary of as many numbers as there are labels, which transformers' classifier cannot read. */
  summary_proj_to_labels: z.boolean().default(false),
  summary_activation: z.string().default('gelu'),
  summary_first_dropout: probability.default(0),
  summary_last_dropout: probability.default(0.1),
})

/** ELECTRA (Clark et al. 2020): the discriminator, and with a masked-LM head the generator. */
export const electra: Architecture = {
  modelType: 'electra',
  wire(json) {
    const config = electraConfig.parse(json)
    const { hidden_size: hidden, embedding_size: narrow } = config
    return {
      prefix: 'electra',
      ...bertSizes(config),
      encode: (network) => {
        const embedded = bertEmbeddings(network, 'electra.embeddings', config, narrow)
        const projection = { name: 'electra.embeddings_project', role: 'projection', layer: null, in: narrow, out: hidden } as const
        const wide = narrow === hidden ? embedded : linear(network, embedded, projection)
        return bertEncoder(network, wide, 'electra.encoder', config)
      },
      heads: {
        'sequence-classification': denseHead(hidden, headDropout(config), 'gelu'),
        ...(config.summary_type === 'first' &&
          config.summary_use_proj &&
          !config.summary_proj_to_labels && {
            'multiple-choice': firstTokenHead({
              modules: ['sequence_summary', 'classifier'],
              hidden,
              dense: 'sequence_summary.summary',
              role: 'head',
              activation: config.summary_activation,
              inwardDropout: config.summary_first_dropout || null,
              dropout: config.summary_last_dropout,
              out: 'classifier',
            }),
          }),
        'token-classification': tokenHead('classifier', hidden, headDropout(config)),
        'question-answering': tokenHead('qa_outputs', hidden, 0),
        'masked-lm': maskedLmHead({
          modules: ['generator_predictions', 'generator_lm_head'],
          dense: 'generator_predictions.dense',
          norm: 'generator_predictions.LayerNorm',
          activation: 'gelu',
          bias: 'generator_lm_head.bias',
          decoder: config.tie_word_embeddings ? 'electra.embeddings.word_embeddings' : 'generator_lm_head',
          ...bertVocabulary(config, narrow),
        }),
      },
    }
  },
}
