import { type Example, tokenCount } from '../data/examples.ts'
import type { Arrangement } from '../evaluate/arrangement.ts'

/** All tokens that are computed of an example in one pass: virtual ones and a decoder's too. */
export function computedTokens(example: Example, { virtualTokens }: Pick<Arrangement, 'virtualTokens'>): number {
  const { others = [], decoder } = example
  return tokenCount(example) + (1 + others.length) * virtualTokens + (decoder?.ids.length ?? 0)
}

/** In how many chunks so many tokens are computed. */
export const chunkCount = (tokens: number, tokensAtOnce: number | null): number =>
  tokensAtOnce === null ? 1 : Math.max(1, Math.ceil(tokens / tokensAtOnce))

/**
 * The examples of a micro-batch as they are computed, one chunk after another: of about as many tokens each, over all passes at most about
 * `tokensAtOnce`, and of one example at least. Their gradients add up to those of the micro-batch.
 */
export function chunksOf(
  examples: readonly Example[],
  tokensAtOnce: number | null,
  arranged: Pick<Arrangement, 'virtualTokens'>,
  passes: number,
): (readonly Example[])[] {
  if (tokensAtOnce === null) return [examples]
  const tokens = examples.map((example) => passes * computedTokens(example, arranged))
  const all = tokens.reduce((sum, each) => sum + each, 0)
  const share = all / chunkCount(all, tokensAtOnce)
  const chunks: Example[][] = [[]]
  let before = 0
  for (const [i, example] of examples.entries()) {
    if (chunks.at(-1)!.length > 0 && before + tokens[i]! / 2 > share * chunks.length) chunks.push([])
    chunks.at(-1)!.push(example)
    before += tokens[i]!
  }
  return chunks
}
