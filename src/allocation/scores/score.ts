import type { Value } from '../../graph/graph.ts'
import type { Components, FactorValues } from '../components.ts'

export interface ScoreSettings {
  readonly beta1: number
  readonly beta2: number
}

/** Statistics of one factor by name; all have the factor's shape. */
export type Statistics = Readonly<Record<string, Value>>

/** A module as a score sees it, after an update. */
export interface Rated {
  readonly components: Components
  readonly factors: FactorValues
  /** By role. */
  readonly statistics: Readonly<Record<string, Statistics>>
  /** What `draw` gave for this module, `[rank]`; null for a score without it. */
  readonly draws: Value | null
}

/** How much components matter: the highest stay. */
export interface Score {
  /** Names of the statistics that it keeps of each element of each factor. */
  readonly statistics: readonly string[]
  /** A factor's statistics after an update; `parameter` is the weight after it, `gradient` the clipped one before it. */
  update(parameter: Value, gradient: Value, statistics: Statistics, settings: ScoreSettings): Statistics
  /** Numbers from the host for the components of a module; a pure function. */
  draw?(seed: number, step: number, module: string, rank: number): Float32Array
  /** The scores of a module's components, `[rank]`. */
  score(module: Rated): Value
}
