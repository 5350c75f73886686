import { z } from 'zod'
import type { Architecture } from './architecture.ts'
import { bertConfig, bertEmbeddings, bertEncoder, bertSizes, bertVocabulary, headDropout, tokenHead } from './bert.ts'
import { denseHead, pooledHead } from './first-token-head.ts'
import { maskedLmHead } from './masked-lm.ts'

/** Positions count from `padding + 1` over tokens that are not padding; padding keeps its own position. */
export function offsetPositions(padding: number): (ids: Int32Array) => Int32Array {
  return (ids) => {
    let seen = 0
    return ids.map((id) => (id === padding ? padding : padding + ++seen))
  }
}

function robertaLike(modelType: string): Architecture {
  return {
    modelType,
    wire(json) {
      const config = bertConfig.safeExtend({ pad_token_id: z.number().int().nonnegative().default(1) }).parse(json)
      const hidden = config.hidden_size
      return {
        prefix: 'roberta',
        ...bertSizes(config),
        maxPositions: config.max_position_embeddings - config.pad_token_id - 1,
        positions: offsetPositions(config.pad_token_id),
        encode: (network) => bertEncoder(network, bertEmbeddings(network, 'roberta.embeddings', config, hidden), 'roberta.encoder', config),
        heads: {
          'sequence-classification': denseHead(hidden, headDropout(config), 'tanh'),
          'multiple-choice': pooledHead('roberta.pooler.dense', hidden, config.hidden_dropout_prob),
          'token-classification': tokenHead('classifier', hidden, headDropout(config)),
          'question-answering': tokenHead('qa_outputs', hidden, 0),
          'masked-lm': maskedLmHead({
            modules: ['lm_head'],
            dense: 'lm_head.dense',
            norm: 'lm_head.layer_norm',
            activation: 'gelu',
            bias: 'lm_head.bias',
            decoder: config.tie_word_embeddings ? 'roberta.embeddings.word_embeddings' : 'lm_head.decoder',
            ...bertVocabulary(config, hidden),
          }),
        },
      }
    },
  }
}

/** RoBERTa (Liu et al. 2019). */
export const roberta: Architecture = robertaLike('roberta')
/** XLM-RoBERTa (Conneau et al. 2020): RoBERTa with another vocabulary. */
export const xlmRoberta: Architecture = robertaLike('xlm-roberta')
