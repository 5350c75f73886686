import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { findModel } from '../evaluate/find-model.ts'
import { readFields } from '../json-file.ts'
import type { Environment } from '../train/environment.ts'
import type { RunEvent } from '../train/events.ts'
import { modelFingerprint } from '../train/sources.ts'
import { fileDigest } from '../weights/digest.ts'
import type { Judgement, Scores } from './judgement.ts'
import { runFolder, type Trial, trialFolder } from './trial.ts'
import { JUDGEMENT } from './trial-task.ts'

/** An evaluation on the way, with the operations that training had taken until then. */
export interface Passed {
  readonly step: number
  readonly flops: number
  readonly metrics: Readonly<Record<string, number>>
}

/** What a trial came to. */
export interface TrialResult {
  readonly trial: Trial
  readonly judgement: Judgement
  /** What the run took and counted, as its metrics.json says. */
  readonly took: Readonly<Record<string, number>>
  readonly evaluations: readonly Passed[]
  /** The loss that was trained, by update. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[]
  /** Ranks by module at the end; null where none are given out. */
  readonly ranks: Readonly<Record<string, number>> | null
  /** The share of rows or tokens that each expert was given, now and then; empty where routes are drawn alike. */
  readonly routes: readonly { readonly step: number; readonly shares: readonly number[] }[]
}

const eventsIn = (file: string): RunEvent[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, i) => {
      if (line === '') return []
      try {
        return [JSON.parse(line) as RunEvent]
      } catch {
        throw new UserError(`${file}:${i + 1} is damaged; delete ${join(file, '../..')} and the trial is made again.`)
      }
    })

/** JSON has null for a number that is not finite. */
const restored = (scores: Scores): Scores => ({
  ...scores,
  metrics: Object.fromEntries(Object.entries(scores.metrics).map(([name, value]) => [name, value ?? Number.NaN])),
})

/** The judgement of a trial that came to its end with so many resamples; null for another. */
export function judgementOf(out: string, trial: Trial, resamples: number): Judgement | null {
  const file = join(trialFolder(out, trial), JUDGEMENT)
  if (!existsSync(file)) return null
  const judgement = readFields(file) as unknown as Judgement
  if (judgement.resamples !== resamples) return null
  return { ...judgement, last: restored(judgement.last), best: restored(judgement.best) }
}

/** What `read` makes of a name, made once. */
function remembered<T>(read: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>()
  return (name) => {
    if (!known.has(name)) known.set(name, read(name))
    return known.get(name)!
  }
}

/** @throws UserError where a file or the model has changed that some finished trials were made with, and where the model is not there */
export async function checkSources(out: string, trials: readonly Trial[]): Promise<void> {
  const digest = remembered((file) => (existsSync(file) ? fileDigest(file) : 'gone'))
  const fingerprint = remembered(async (model) => modelFingerprint(await findModel(model)))
  for (const trial of trials) {
    const { sources, model } = readFields(join(runFolder(trialFolder(out, trial)), 'env.json')) as unknown as Environment
    const changed =
      Object.entries(sources).find(([file, hash]) => digest(file) !== hash)?.[0] ??
      ((await fingerprint(trial.run.model)) === model ? null : trial.run.model)
    if (changed !== null) throw new UserError(`${changed} has changed since ${trial.id} in ${out}; compare in another folder, with --out.`)
  }
}

/** Reads what a finished trial left. */
export function readTrial(out: string, trial: Trial, judgement: Judgement): TrialResult {
  const run = runFolder(trialFolder(out, trial))
  const events = eventsIn(join(run, 'run.jsonl'))
  let flops = 0
  const evaluations: Passed[] = []
  const losses: { step: number; loss: number }[] = []
  for (const { event, step, ...fields } of events) {
    if (event === 'step') {
      flops += fields.flops as number
      losses.push({ step: step!, loss: fields.loss ?? Number.NaN })
    } else if (event === 'eval') {
      const { epoch: _, best: _best, ...metrics } = fields
      evaluations.push({ step: step!, flops, metrics: metrics as Record<string, number> })
    }
  }
  const numbers = Object.entries(readFields(join(run, 'metrics.json'))).filter(([, value]) => typeof value === 'number')
  return {
    ...{ trial, judgement, evaluations, losses },
    took: Object.fromEntries(numbers) as Record<string, number>,
    ranks: (events.findLast(({ event }) => event === 'ranks')?.ranks as TrialResult['ranks'] | undefined) ?? null,
    routes: events.flatMap(({ event, step, utilisation }) =>
      event === 'routes' ? [{ step: step!, shares: utilisation as number[] }] : [],
    ),
  }
}
