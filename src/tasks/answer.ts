/** What a model says of a window on a text. */
export interface WindowScores {
  readonly start_logits: readonly number[]
  readonly end_logits: readonly number[]
  /** The first token that is the text's. */
  readonly contextStart: number
  /** The characters [start, end) of the text's tokens. */
  readonly characters: readonly (readonly number[])[]
}

/** What a model says of one question; which fields there are depends on the task. */
export type Answer = {
  /** The likeliest class or choice. */
  readonly label?: string
  /** The likeliest class of each token. */
  readonly labels?: readonly string[]
  /** The likeliest word of each place that is asked for. */
  readonly words?: readonly string[]
  /** Probabilities: of every class or choice by its name, or of each token's likeliest class or word. */
  readonly scores?: Readonly<Record<string, number>> | readonly number[]
  /** The number of a regression, or the probability of an answer. */
  readonly score?: number
  /** An answer in the words of a text, empty where there is none; or the likeliest choice. */
  readonly answer?: string
  /** What the row was called. */
  readonly id?: unknown
  /** The first and last token of an answer within its row, or its first character in a text and the one behind it; null where there is none. */
  readonly start?: number | null
  readonly end?: number | null
  /** How far no answer is likelier than the best one. */
  readonly nullOdds?: number
  /** With `logits`: those of the row, or of each token. */
  readonly logits?: readonly number[] | readonly (readonly number[])[]
  /** With `logits`: for each token how likely it begins and ends the answer. */
  readonly start_logits?: readonly number[]
  readonly end_logits?: readonly number[]
  /** With `logits`: the same of each window on a text. */
  readonly windows?: readonly WindowScores[]
}
