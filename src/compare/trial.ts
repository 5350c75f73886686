import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import type { Arm } from './arms.ts'
import { mayKeepEarlier } from './kept-evaluation.ts'
import { type Taken, withTaken } from './taken-results.ts'

/** A run of a comparison. */
export interface Trial {
  /** Tells it from every other run: a readable name and a digest of its settings. */
  readonly id: string
  readonly arm: string
  readonly seed: number
  /** The multiple of the arm's own learning rate that it tries; null for one that counts. */
  readonly times: number | null
  readonly run: RunConfig
  /** What answers once it is trained. */
  readonly inference: string
  /** Another trial that trains the same, so that this one need only be asked otherwise; null where it trains. */
  readonly like: Trial | null
}

const slug = (text: string): string => text.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^-+|-+$/g, '')

/** Plain data in an order that does not depend on how it was written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

/**
 * A digest of what was written of a run, and of what comparing changes in it: settings that a later version adds leave it as it is.
 * Threads change no result that is compared.
 */
function digestOf({ written }: Arm, { method, train, data }: RunConfig, after: readonly Trial[]): string {
  const { out: _, published: _p, ...settings } = written
  const { threads: _t, seed: _s, ...own } = (settings.train ?? {}) as Record<string, unknown>
  const changed = {
    budget: 'budget' in method ? method.budget : null,
    ...{ seed: train.seed, steps: train.steps, learningRate: train.learningRate },
    data: [data.train, data.eval, data.test, data.evalShots],
    ...(train.keepBest !== (own.keepBest ?? null) && { keepBest: train.keepBest }),
    ...(after.length > 0 && { after: after.map(({ id }) => id) }),
  }
  const text = JSON.stringify(sorted({ ...settings, train: own, changed }))
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

interface Moment {
  readonly seed: number
  readonly learningRate: number
  readonly times: number | null
}

function trialAt(arm: Arm, run: RunConfig, { seed, learningRate, times }: Moment, after: readonly Trial[]): Trial {
  const keepBest = run.train.keepBest ?? (mayKeepEarlier(run) ? arm.metric : null)
  const own: RunConfig = { ...run, train: { ...run.train, seed, learningRate, keepBest } }
  const words = [arm.name, `seed ${seed}`, ...(times === null ? [] : [`rate ${times}`])].join(' ')
  return { id: `${slug(words)}-${digestOf(arm, own, after)}`, arm: arm.name, seed, times, run: own, inference: arm.inference, like: null }
}

/** The run of an arm with a seed and a learning rate; `run` is the arm's, or what of it tries a rate. */
export const trialOf = (arm: Arm, run: RunConfig, seed: number, learningRate: number, times: number | null = null): Trial =>
  trialAt(arm, run, { seed, learningRate, times }, [])

/** The run of an arm that takes results of other trials below `out`. */
export function takingTrialOf(arm: Arm, seed: number, learningRate: number, out: string, sourceOf: (taken: Taken) => Trial): Trial {
  const sources = new Map(arm.takes.map((taken) => [taken.of, sourceOf(taken)]))
  const run = withTaken(arm.run, arm.takes, (of) => join(runFolder(trialFolder(out, sources.get(of)!)), 'adapter'))
  return trialAt(arm, run, { seed, learningRate, times: null }, [...sources.values()])
}

/** The same text for runs that train alike. */
export const trainingOf = (run: RunConfig): string => JSON.stringify(run)

/** Makes trials know the first that came which trains as they do, where there was one. */
export function sharingTraining(): (trial: Trial) => Trial {
  const first = new Map<string, Trial>()
  return (trial) => {
    const key = trainingOf(trial.run)
    const like = first.get(key) ?? null
    if (!like) first.set(key, trial)
    return { ...trial, like }
  }
}

/** Where a trial lies: its run, and what was judged of it. */
export const trialFolder = (out: string, { id }: Pick<Trial, 'id'>): string => join(out, 'trials', id)
export const runFolder = (folder: string): string => join(folder, 'run')
