import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import type { Arm } from './arms.ts'

/** A run of a comparison. */
export interface Trial {
  /** Tells it from every other run: a readable name and a digest of its settings. */
  readonly id: string
  readonly arm: string
  readonly seed: number
  /** The multiple of the arm's own learning rate that it tries; null for one that counts. */
  readonly times: number | null
  readonly run: RunConfig
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
function digestOf({ written }: Arm, { method, train, data }: RunConfig): string {
  const { out: _, published: _p, ...settings } = written
  const { threads: _t, seed: _s, ...own } = (settings.train ?? {}) as Record<string, unknown>
  const changed = {
    budget: 'budget' in method ? method.budget : null,
    ...{ seed: train.seed, steps: train.steps, learningRate: train.learningRate },
    data: [data.train, data.eval, data.test, data.evalShots],
  }
  const text = JSON.stringify(sorted({ ...settings, train: own, changed }))
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** The run of an arm with a seed and a learning rate; `run` is the arm's, or what of it tries a rate. */
export function trialOf(arm: Arm, run: RunConfig, seed: number, learningRate: number, times: number | null = null): Trial {
  const own: RunConfig = { ...run, train: { ...run.train, seed, learningRate } }
  const words = [arm.name, `seed ${seed}`, ...(times === null ? [] : [`rate ${times}`])].join(' ')
  return { id: `${slug(words)}-${digestOf(arm, own)}`, arm: arm.name, seed, times, run: own }
}

/** Where a trial lies: its run, and what was judged of it. */
export const trialFolder = (out: string, { id }: Pick<Trial, 'id'>): string => join(out, 'trials', id)
export const runFolder = (folder: string): string => join(folder, 'run')
