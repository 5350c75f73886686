/** The scores of each token as the start and as the end of an answer, from `[tokens, 2]`. */
export interface SpanScores {
  readonly start: readonly number[]
  readonly end: readonly number[]
}

export const spanScores = (logits: Float32Array): SpanScores => ({
  start: Array.from({ length: logits.length / 2 }, (_, i) => logits[2 * i]!),
  end: Array.from({ length: logits.length / 2 }, (_, i) => logits[2 * i + 1]!),
})
