import type { Base } from '../../src/lowering/bases.ts'

/** What a measuring process is asked, as the file that its argument names holds it. */
export interface Asked {
  readonly model: string
  readonly adapter: string | null
  readonly base: Base
  /** Whether the adapter is put into the weights first. */
  readonly merges: boolean
  /** A file of rows with `sentence1` and `sentence2`. */
  readonly rows: string
  readonly batchSize: number
  readonly maxLength: number
  /** Whether rows of like length share a batch; ours always do. */
  readonly sorted: boolean
}

/** A pass over all rows: from texts to probabilities. */
export interface Passed {
  readonly ms: number
  readonly cpuMs: number
  /** The first class's probability of each row. */
  readonly scores: readonly number[]
  readonly peakBytes: number
}
