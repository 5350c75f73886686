import { collapses, type MergeGap, mergeGapText } from '../evaluate/merge-gap.ts'
import { scoresOf } from '../evaluate/scores.ts'
import type { RunEvent } from './events.ts'
import type { Kept } from './finish.ts'
import type { Prepared } from './prepare.ts'

/** What a mixture's merge did to its answers on some rows of the run; null for runs without. */
export async function scoreMerge(
  { open, sample }: Prepared,
  { method, state, members }: Kept,
  batchSize: number,
): Promise<MergeGap | null> {
  if (members.length === 0) return null
  const states = [state, ...members.map((member) => member.state)]
  const [merged, ...alone] = await scoresOf(open, method, states, sample, batchSize)
  return { rows: sample.length, merged: merged!, members: alone }
}

/** What the run's record is told of it; a warning where experts knew what their mean does not. */
export function mergeEvents(gap: MergeGap, step: number): RunEvent[] {
  const message =
    `The mean of the experts has ${mergeGapText(gap)}: they are too unlike to be merged. ` +
    'Raise method.consistency or share more by method.share; these experts answer by --inference ensemble:N.'
  return [{ event: 'merge', step, ...gap }, ...(collapses(gap) ? [{ event: 'warning' as const, step, message }] : [])]
}
