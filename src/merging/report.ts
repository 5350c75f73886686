import { type Example, examplesIn, type Item } from '../data/examples.ts'
import type { Adapted } from '../evaluate/adapted.ts'
import { mostRows } from '../evaluate/forward.ts'
import type { MergeGap } from '../evaluate/merge-gap.ts'
import { scoresOf } from '../evaluate/scores.ts'
import type { Adapter } from '../formats/index.ts'
import { everywhere } from '../heads/head.ts'
import { parameterName, type Tensor } from '../nn/method.ts'
import { squaredNorm } from '../nn/tensor.ts'
import { type LogitGaps, logitGaps } from './logit-gaps.ts'
import type { Member } from './rule.ts'
import { weightedMean } from './rules/mean.ts'
import { openSessions, type Voice } from './sessions.ts'

/** How far two adapters lie apart. */
export interface Distance {
  readonly between: readonly [string, string]
  /** The Frobenius norm of the difference. */
  readonly frobenius: number
  /** That, over the mean of both norms. */
  readonly relative: number
}

export interface Report {
  /** In increments to the weights where all members have them, else in the method's tensors; heads are left out. */
  readonly measured: 'increments' | 'tensors'
  readonly distances: readonly Distance[]
  /** Between the combined adapter's logits and the mean of the members'; null without data, or where heads are not alike. */
  readonly logitGap: { readonly mean: number; readonly largest: number } | null
  /** What the combined adapter and the members score; null as above. */
  readonly scores: MergeGap | null
  /** Loss on the way from the first member's tensors to the second's; null for other than two members of the same shapes with data. */
  readonly path: readonly { readonly at: number; readonly loss: number }[] | null
}

const POINTS = 11

/** What a member changes, by site or tensor, one array at a time. */
function changesOf({ method, state, open }: Member, asIncrements: boolean): Map<string, () => Float32Array> {
  const { sites, base } = open.outline
  const own = [...state].filter(([name]) => !asIncrements && !base.has(name))
  const increments = sites.flatMap((site): [string, () => Float32Array][] => {
    const roles = Object.keys(method.parameters(site))
    if (!asIncrements || roles.length === 0 || site.kind !== 'linear') return []
    return [
      [site.name, () => method.increment!(site, Object.fromEntries(roles.map((role) => [role, state.get(parameterName(site, role))!])))],
    ]
  })
  const whole = [...state].filter(([name]) => base.has(name) && name.startsWith(`${open.subject.model.wiring.prefix}.`))
  return new Map([...increments, ...[...own, ...whole].map(([name, { data }]): [string, () => Float32Array] => [name, () => data])])
}

function distance(a: Member, b: Member, asIncrements: boolean): Distance {
  const [mine, theirs] = [changesOf(a, asIncrements), changesOf(b, asIncrements)]
  let [apart, first, second] = [0, 0, 0]
  for (const name of new Set([...mine.keys(), ...theirs.keys()])) {
    const [x, y] = [mine.get(name)?.() ?? null, theirs.get(name)?.() ?? null]
    first += x ? squaredNorm(x) : 0
    second += y ? squaredNorm(y) : 0
    apart += x && y ? x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0) : squaredNorm((x ?? y)!)
  }
  const frobenius = Math.sqrt(apart)
  const size = (Math.sqrt(first) + Math.sqrt(second)) / 2
  return { between: [a.folder, b.folder], frobenius, relative: size === 0 ? 0 : frobenius / size }
}

const shapesOf = (state: ReadonlyMap<string, Tensor>): string => JSON.stringify([...state].map(([name, { shape }]) => [name, shape]).sort())
const answersOf = ({ open }: Member): string => JSON.stringify([open.name, open.labels])

async function pathBetween([a, b]: readonly [Member, Member], items: readonly Item[], batchSize: number): Promise<Report['path']> {
  if (a.adapter.options.name !== b.adapter.options.name || shapesOf(a.state) !== shapesOf(b.state)) return null
  const at = Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1))
  const states = at.map(
    (t) => new Map([...a.state].map(([name, tensor]) => [name, weightedMean([tensor, b.state.get(name)!], [1 - t, t])])),
  )
  const scores = await scoresOf(a.open, a.method, states, items, batchSize)
  return scores.map(({ loss }, i) => ({ at: at[i]!, loss: loss! }))
}

/** How far the logits of `whole` are from the mean of the members', a few rows of each at a time. */
async function gapToMean(whole: Voice, members: readonly Member[], examples: readonly Example[], batchSize: number): Promise<LogitGaps> {
  const sessions = openSessions(batchSize)
  const voices = members.map((member): Voice => ({ adapted: member, adapters: [member.adapter] }))
  const { subject } = whole.adapted.open
  const { answers } = everywhere(subject.head)
  const longest = examples.reduce((most, example) => Math.max(most, answers(example)), 1)
  const step = mostRows(subject, longest, batchSize)
  const gaps = logitGaps()
  try {
    for (let start = 0; start < examples.length; start += step) {
      const rows = examples.slice(start, start + step)
      const own = await sessions.logits(whole, rows, true)
      const means = own.map(({ length }) => new Float64Array(length))
      for (const voice of voices) {
        for (const [i, row] of (await sessions.logits(voice, rows, true)).entries())
          row.forEach((value, k) => {
            means[i]![k]! += value / voices.length
          })
      }
      for (const [i, row] of own.entries()) gaps.add(row, means[i]!)
    }
    return gaps
  } finally {
    await sessions.close()
  }
}

/** How the members differ, and what their combination does to the logits of items (null without data). */
export async function reportOn(
  members: readonly Member[],
  combined: { readonly adapter: Adapter; readonly method: Member['method'] },
  items: readonly Item[] | null,
  batchSize: number,
): Promise<Report> {
  const asIncrements = members.every(({ method }) => method.increment)
  const pairs = members.flatMap((a, i) => members.slice(i + 1).map((b) => [a, b] as const))
  const alike = members.every((member) => answersOf(member) === answersOf(members[0]!))
  const told = {
    measured: asIncrements ? ('increments' as const) : ('tensors' as const),
    distances: pairs.map(([a, b]) => distance(a, b, asIncrements)),
  }
  if (items === null || !alike) return { ...told, logitGap: null, scores: null, path: null }
  const whole = { ...members[0]!, ...combined, state: combined.adapter.state }
  const scoreOf = async ({ open, method, state }: Adapted) => (await scoresOf(open, method, [state], items, batchSize))[0]!
  const alone: Record<string, number>[] = []
  for (const member of members) alone.push(await scoreOf(member))
  const { mean, largest } = await gapToMean({ adapted: whole, adapters: [combined.adapter] }, members, examplesIn(items), batchSize)
  return {
    ...told,
    logitGap: { mean, largest },
    scores: { rows: items.length, merged: await scoreOf(whole), members: alone },
    path: members.length === 2 ? await pathBetween([members[0]!, members[1]!], items, batchSize) : null,
  }
}
