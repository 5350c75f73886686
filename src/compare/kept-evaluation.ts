import type { RunConfig } from '../config/run-config.ts'

/** Whether a run may keep an earlier evaluation than that of its end: it has rows for some, and makes some on the way. */
export function mayKeepEarlier({ data, train: { evalEvery, epochs, steps } }: RunConfig): boolean {
  if (data.eval === null && data.evalShots === null) return false
  if (evalEvery === 'epoch') return steps !== null || epochs > 1
  return evalEvery !== 'end' && (steps === null || evalEvery < steps)
}
