import type { Progress } from '../evaluate/progress.ts'
import type { Sink } from './events.ts'

export interface RunOptions {
  /** The run's folder; `out` of the config by default. */
  readonly out?: string | undefined
  readonly sinks?: readonly Sink[]
  /** Asked between updates; where true, the run writes a checkpoint and stops. */
  readonly stopRequested?: () => boolean
  /** Told of evaluations while they go on. */
  readonly evaluating?: Progress | undefined
  /** Told of what takes a while or was passed over. */
  readonly notice?: (text: string) => void
}
