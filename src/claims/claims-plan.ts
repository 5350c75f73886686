import { type Outlook, outlookOf } from '../compare/outlook.ts'
import { plan } from '../compare/planned.ts'
import { count, duration, flops } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import { claimFolder } from './claim.ts'
import type { Claim } from './claim-file.ts'

/** What claims would take. */
export interface ClaimsPlan {
  /** Those of the fewest operations first; `training` is null for a measurement, which trains nothing and takes minutes. */
  readonly claims: readonly { readonly name: string; readonly training: Outlook | null }[]
  /** Of all together, as far as it is known. */
  readonly seconds: number
}

export async function claimsPlan(claims: readonly Claim[]): Promise<ClaimsPlan> {
  const all: ClaimsPlan['claims'][number][] = []
  for (const claim of claims) {
    const training = claim.kind === 'measurement' ? null : await outlookOf(await plan(claim.comparison), claimFolder(claim))
    all.push({ name: claim.name, training })
  }
  return {
    claims: all.toSorted((a, b) => (a.training?.flops ?? 0) - (b.training?.flops ?? 0)),
    seconds: all.reduce((total, { training }) => total + (training?.seconds ?? 0), 0),
  }
}

function rowOf({ name, training }: ClaimsPlan['claims'][number]): string[] {
  if (training === null) return [name, '–', '–', '–', 'minutes']
  const { trials, steps, seconds } = training
  return [name, count(trials), count(steps), flops(training.flops), seconds === null ? '–' : duration(seconds)]
}

function noteOf({ name, training }: ClaimsPlan['claims'][number]): string {
  if (training === null) return `${name}: measured, nothing is trained`
  const { workers, flopsPerSecond, speed } = training
  return flopsPerSecond === null
    ? `${name}: how long is not known: ${speed}`
    : `${name}: ${workers} at a time, ${flops(flopsPerSecond)}/s a trial by ${speed}`
}

/** What claims would take, for a reader; ends in a line break. */
export function claimsPlanText({ claims, seconds }: ClaimsPlan): string {
  const rows = [['claim', 'trials', 'updates', 'training', 'time'], ...claims.map(rowOf)]
  return `${table(rows)}about ${duration(seconds)} together, as far as it is known\n\n${claims.map(noteOf).join('\n')}\n`
}
