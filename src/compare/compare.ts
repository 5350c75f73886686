import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { holding } from '../formats/folder-lock.ts'
import { writeText } from '../weights/atomic-file.ts'
import type { Arm } from './arms.ts'
import { type Comparison, writtenSettings } from './comparison-file.ts'
import type { Judgement } from './judgement.ts'
import { type RatedArm, rateTrials, withBestRate } from './learning-rates.ts'
import { type Planned, plan } from './planned.ts'
import { reportPage } from './report/page.ts'
import { type ComparisonEvent, runTrials, type SizedTrial } from './run-trials.ts'
import { type ArmResults, type Summary, summarise } from './summary.ts'
import { sourceOf } from './taken-results.ts'
import { sharingTraining, type Trial, takingTrialOf, trialOf } from './trial.ts'
import { checkSources, judgementOf, readTrial } from './trial-result.ts'

export interface CompareOptions {
  /** The comparison's folder; `out` of its file by default. */
  readonly out?: string | undefined
  readonly tell?: (event: ComparisonEvent) => void
  readonly stopRequested?: () => boolean
  /** What repeats it, for the report. */
  readonly command?: string
}

/** A comparison that came to its end, or null parts where it was stopped. */
export interface Compared {
  readonly out: string
  /** Null where it was stopped; it goes on when it is called again. */
  readonly summary: Summary | null
  readonly results: readonly ArmResults[]
}

interface Work {
  readonly planned: Planned
  readonly out: string
  readonly tell: (event: ComparisonEvent) => void
  readonly stopRequested: () => boolean
}

type Purpose = 'rates' | 'scores'

/** Runs the trials that are not finished; the judgements of all that then are, by their ids. Null where it was stopped. */
async function judged(work: Work, trials: ReadonlyMap<Arm, readonly Trial[]>, purpose: Purpose): Promise<Map<string, Judgement> | null> {
  const { planned, out, tell, stopRequested } = work
  const resamples = purpose === 'rates' ? 0 : planned.comparison.resamples
  const all = [...trials.values()].flat()
  const known = (): Map<string, Judgement> =>
    new Map(
      all.flatMap((trial) => {
        const judgement = judgementOf(out, trial, resamples)
        return judgement ? [[trial.id, judgement] as const] : []
      }),
    )
  const before = known()
  await checkSources(
    out,
    all.filter(({ id }) => before.has(id)),
  )
  const left: SizedTrial[] = []
  for (const [arm, own] of trials) {
    for (const trial of own) if (!before.has(trial.id)) left.push({ trial, resamples, bytes: await planned.bytesOf(arm) })
  }
  if (all.length > 0) tell({ kind: 'trials', total: all.length, left: left.length, purpose })
  // Seeds first: what every arm has is worth more than what one has.
  const turns = left.toSorted((a, b) => planned.seeds.indexOf(a.trial.seed) - planned.seeds.indexOf(b.trial.seed))
  await runTrials(turns, { out, ...planned.room, tell, stopRequested })
  return stopRequested() ? null : known()
}

/** @throws UserError that names the trials of a seed that did not come to their end */
function assertAll(trials: readonly Trial[], judgements: ReadonlyMap<string, Judgement>, failures: ReadonlyMap<string, string>): void {
  const missing = trials.filter(({ id }) => !judgements.has(id))
  if (missing.length === 0) return
  const told = missing.map(({ id }) => `${id}: ${failures.get(id) ?? 'it did not end'}`).join('\n')
  throw new UserError(`${missing.length} of ${trials.length} trials failed; the others are kept for the next call.\n${told}`)
}

/** The trials of arms at their rates, a trial for each seed. */
function trialsOf(arms: readonly RatedArm[], seeds: readonly number[], out: string): Map<RatedArm, Trial[]> {
  const plain = (arm: RatedArm, seed: number): Trial => trialOf(arm, arm.run, seed, arm.learningRate)
  const rated = (arm: Arm): RatedArm => arms.find(({ name }) => name === arm.name)!
  const taking = (arm: RatedArm, seed: number): Trial =>
    takingTrialOf(arm, seed, arm.learningRate, out, (taken) => plain(rated(sourceOf(arm, taken, arms)), seed))
  const share = sharingTraining()
  return new Map(arms.map((arm) => [arm, seeds.map((seed) => share((arm.takes.length > 0 ? taking : plain)(arm, seed)))]))
}

async function run(work: Work): Promise<{ summary: Summary; results: ArmResults[] } | null> {
  const { planned, out } = work
  const { comparison, seeds } = planned
  const failures = new Map<string, string>()
  const watched: Work = {
    ...work,
    tell(event) {
      if (event.kind === 'failed') failures.set(event.trial.id, event.message)
      work.tell(event)
    },
  }
  const tries = await rateTrials(comparison, planned, out)
  const tried = await judged(watched, tries, 'rates')
  if (tried === null) return null
  for (const own of tries.values()) if (!own.some(({ id }) => tried.has(id))) assertAll(own, tried, failures)
  const rated = planned.arms.map((arm) => withBestRate(arm, tries.get(arm) ?? [], tried, comparison))
  const trials = trialsOf(rated, seeds, out)
  // What others take something of comes first.
  const first = new Map([...trials].map(([arm, own]) => [arm, arm.takes.length > 0 ? [] : own.filter(({ like }) => like === null)]))
  const waits = [...first].some(([arm, own]) => own.length < trials.get(arm)!.length)
  if (waits) {
    // What is wrong with an arm that waits is told before others train for it.
    await Promise.all(planned.arms.map(planned.foretold))
    if ((await judged(watched, first, 'scores')) === null) return null
  }
  const judgements = await judged(watched, trials, 'scores')
  if (judgements === null) return null
  assertAll([...trials.values()].flat(), judgements, failures)
  const results = [...trials].map(([arm, own]) => ({ arm, results: own.map((trial) => readTrial(out, trial, judgements.get(trial.id)!)) }))
  return { summary: summarise(comparison, planned, results), results }
}

/** What is written of a comparison: how it was set, what came of it, and the scores of every trial. */
function record(
  { comparison }: Planned,
  { summary, results }: { summary: Summary; results: readonly ArmResults[] },
  command: string,
): unknown {
  return {
    command,
    settings: writtenSettings(comparison),
    ...summary,
    trials: results.flatMap(({ arm, results: own }) =>
      own.map(({ trial, judgement: { last, best }, took, evaluations }) => ({
        ...{ id: trial.id, arm: arm.name, seed: trial.seed },
        last: { step: last.step, metrics: last.metrics },
        best: { step: best.step, metrics: best.metrics },
        ...{ took, evaluations },
      })),
    ),
  }
}

/**
 * Runs the trials of a comparison that are not finished yet, in processes of their own, and writes `compare.json` and `report.html`.
 * @throws UserError for settings, files or rows that do not fit, and where trials failed
 */
export async function compare(comparison: Comparison, options: CompareOptions = {}): Promise<Compared> {
  const { tell = () => {}, stopRequested = () => false, command = 'adatune compare' } = options
  const out = options.out ?? comparison.out
  if (!out) throw new UserError('The comparison has no folder: give "out" in its file, or --out.')
  const planned = await plan(comparison)
  return holding(out, async () => {
    const done = await run({ planned, out, tell, stopRequested })
    if (done === null) return { out, summary: null, results: [] }
    writeText(join(out, 'compare.json'), `${JSON.stringify(record(planned, done, command), null, 2)}\n`)
    writeText(join(out, 'report.html'), reportPage(comparison, done.summary, done.results, command))
    return { out, ...done }
  })
}
