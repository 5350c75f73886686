import type { RunSettings } from '../../src/config/run-config.ts'
import type { Goal } from '../report/goal.ts'

export type Method = NonNullable<RunSettings['method']>

/** What makes steps: an engine with a method. */
export interface SideSettings {
  readonly engine: 'adatune' | 'torch'
  readonly method: Method
  readonly base?: RunSettings['base']
  readonly train?: Pick<RunSettings['train'] & object, 'packed' | 'recompute' | 'cachePrefix' | 'tokensAtOnce' | 'batchSize' | 'accumulate'>
}

/** A number of a side over the same number of another. */
export interface Figure extends Goal {
  readonly of: string
  /** Another side; `limit`: the step's matrix products alone at the best float32 rate of any side; `consistency`: see `Case`. */
  readonly over: string
  readonly by: 'time' | 'total' | 'memory'
}

/** Sides that make the same steps, in turns. */
export interface Case {
  readonly about: string
  /** Classification of whole rows by default. */
  readonly task?: 'sequence-classification' | 'causal-lm'
  readonly batchSize: number
  /** The model's own dropout; null: what its config says. */
  readonly dropout: number | null
  /** Where model and rows are; null where they are not there. */
  readonly files: () => { readonly model: string; readonly rows: string } | null
  readonly sides: Readonly<Record<string, SideSettings>>
  readonly figures: readonly Figure[]
  /** Sides are too large to be in memory together: each makes its steps before the next is started. */
  readonly apart?: boolean
  /** Updates before those that count, and these, where the command does not say; `epoch`: as many as an epoch has. */
  readonly warmup?: number
  readonly steps?: number | 'epoch'
  /** Sizes of matrix products, `[rows, inner, columns]`, whose rate the engines are asked for. */
  readonly products?: readonly (readonly [number, number, number])[]
}
