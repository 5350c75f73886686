import type { MethodEvent } from '../nn/method.ts'

/** One line of a run's record: plain JSON. Fields named ms, seconds, cpuSeconds, peakMemoryBytes and time are wall-clock readings. */
export interface RunEvent {
  readonly event: 'run' | 'step' | 'eval' | 'checkpoint' | 'warning' | 'done' | MethodEvent['event']
  readonly [field: string]: unknown
}

/** Receives every event in order; the terminal, files and dashboards are sinks. */
export type Sink = (event: RunEvent) => void
