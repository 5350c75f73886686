import type { Value } from '../graph/graph.ts'
import type { KeyValueSite } from './site.ts'

/** Keys and values of tokens that were read before, `[rows, past, width]`. */
export interface Past {
  readonly key: Value
  readonly value: Value
  /** Added to the scores, `[rows, 1, 1, past]`. */
  readonly mask: Value
  /** `[past]`: where they stand in their rows. */
  readonly columns: Value
  /** `[rows]`: the column of each row's first token; 0 for the longest. */
  readonly first: Value
}

/** What an attention goes on with: keys and values of its tokens, `[tokens, width]`, behind those of the past. */
export interface Remembered {
  readonly key: Value
  readonly value: Value
  readonly past: Past | null
}

/** Keeps the keys and values of an attention for later calls, and gives back those of calls before. */
export type Memory = (site: KeyValueSite, key: Value, value: Value) => Remembered
