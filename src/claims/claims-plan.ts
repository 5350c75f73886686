import { plan, secondsOf, totalOf } from '../compare/planned.ts'
import { speedOf } from '../compare/speed.ts'
import { count, duration, flops } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import { claimFolder } from './claim.ts'
import type { Claim } from './claim-file.ts'

/** What a claim would take. */
async function planRow(claim: Claim): Promise<{ row: string[]; note: string; seconds: number; flops: number }> {
  if (claim.kind === 'measurement')
    return { row: [claim.name, '–', '–', '–', 'minutes'], note: `${claim.name}: measured, nothing is trained`, seconds: 0, flops: 0 }
  const planned = await plan(claim.comparison)
  const total = await totalOf(planned)
  const speed = await speedOf(planned, claimFolder(claim))
  const known = typeof speed !== 'string'
  const seconds = known ? secondsOf(planned, total.flops, speed) : Number.NaN
  return {
    row: [claim.name, count(total.trials), count(total.steps), flops(total.flops), duration(seconds)],
    note: known
      ? `${claim.name}: ${planned.room.workers} at a time, ${flops(speed.flopsPerSecond)}/s a trial by ${speed.from}`
      : `${claim.name}: how long is not known: ${speed}`,
    seconds,
    flops: total.flops,
  }
}

/** What claims would take, those of the fewest operations first; ends in a line break. */
export async function claimsPlan(claims: readonly Claim[]): Promise<string> {
  const all: Awaited<ReturnType<typeof planRow>>[] = []
  for (const claim of claims) all.push(await planRow(claim))
  const sorted = all.toSorted((a, b) => a.flops - b.flops)
  const sum = sorted.reduce((total, { seconds }) => total + (Number.isNaN(seconds) ? 0 : seconds), 0)
  const rows = [['claim', 'trials', 'updates', 'training', 'time'], ...sorted.map(({ row }) => row)]
  return `${table(rows)}about ${duration(sum)} together, as far as it is known\n\n${sorted.map(({ note }) => note).join('\n')}\n`
}
