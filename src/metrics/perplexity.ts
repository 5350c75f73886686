import { assertSameLength } from './same-length.ts'

/**
 * Perplexity, at least 1 (Jelinek et al., "Perplexity, a measure of the difficulty of speech recognition tasks", 1977): exp of the mean
 * negative log-likelihood of a token. `nll` [rows] sums in nats over a row's tokens, `tokens` [rows] how many these are. RangeError where
 * there is no token or the lengths differ.
 */
export function perplexity(nll: ArrayLike<number>, tokens: ArrayLike<number>): number {
  assertSameLength(nll, tokens)
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0)
  if (sum(tokens) <= 0) throw new RangeError('metrics: no tokens; the perplexity of nothing is not defined')
  return Math.exp(sum(nll) / sum(tokens))
}
