import type { z } from 'zod'
import { mul, tanh } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { linear } from '../nn/linear.ts'
import { someTokens } from '../nn/some-tokens.ts'
import type { HeadWiring } from './architecture.ts'
import { probability } from './config-fields.ts'

/**
 * Logits z of the next token by a table of the base model, `<table>.weight` `[vocabulary, hidden]`, the word embeddings themselves where
 * these are tied: a head without weights of its own. With a cap, `cap tanh(z / cap)`.
 */
export const wordsHead = (table: string, shape: readonly [number, number], cap: number | null = null): HeadWiring => ({
  modules: [],
  logits: (network, x) => {
    const weight = network.parameter(`${table}.weight`, shape, null)
    return cap === null
      ? gemm(x, weight, null, { transposeB: true })
      : mul(tanh(gemm(x, weight, null, { transposeB: true, alpha: 1 / cap })), cap)
  },
})

/**
 * HF's head on the last token of a row, where causal models have read all of it. The attention mask decides which; HF takes the last one
 * that is not `pad_token_id`, and so the one before where rows end in a token that is that, too.
 */
export const lastTokenHead = (hidden: number): HeadWiring => ({
  modules: ['score'],
  logits: (network, x, labels) => {
    const last = someTokens(network, x, network.stream.rowEnd)
    return linear(network, last, { name: 'score', role: 'head', layer: null, in: hidden, out: labels, bias: false })
  },
})

/** The fields of HF's `config.json` that say what a causal model drops before its head for each token. */
export const tokenDropoutFields = { classifier_dropout: probability.nullish(), hidden_dropout: probability.nullish() }

export const tokenDropoutOf = (config: z.infer<z.ZodObject<typeof tokenDropoutFields>>): number =>
  config.classifier_dropout ?? config.hidden_dropout ?? 0.1
