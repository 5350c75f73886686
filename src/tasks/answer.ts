/** What a model says of one question; which fields there are depends on the task. */
export type Answer = {
  /** The likeliest class. */
  readonly label?: string
  /** The likeliest class of each token. */
  readonly labels?: readonly string[]
  /** Probabilities: of every class by its name, or of each token's likeliest class. */
  readonly scores?: Readonly<Record<string, number>> | readonly number[]
  /** The number of a regression. */
  readonly score?: number
  /** The first and last token of an answer within its row. */
  readonly start?: number
  readonly end?: number
  /** With `logits`: those of the row, or of each token. */
  readonly logits?: readonly number[] | readonly (readonly number[])[]
  /** With `logits`: for each token how likely it begins and ends the answer. */
  readonly start_logits?: readonly number[]
  readonly end_logits?: readonly number[]
}
