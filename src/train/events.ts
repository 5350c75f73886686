import type { MethodEvent } from '../nn/method.ts'

/** One line of a run's record: plain JSON. Fields named ms, seconds, cpuSeconds, peakMemoryBytes, joules and time are wall-clock readings. */
export interface RunEvent {
  readonly event: 'run' | 'step' | 'eval' | 'checkpoint' | 'merge' | 'warning' | 'done' | MethodEvent['event']
  /** Updates so far. */
  readonly step?: number
  readonly epoch?: number
  /** Of a step: the loss that was trained; of an evaluation: the task's own. */
  readonly loss?: number
  /** Of a warning. */
  readonly message?: string
  readonly [field: string]: unknown
}

/** Receives every event in order; the terminal, files and dashboards are sinks. */
export type Sink = (event: RunEvent) => void
