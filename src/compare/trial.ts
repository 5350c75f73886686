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

/** Settings in an order that does not depend on how they were written; threads change no result that is compared. */
function digestOf({ out: _, published: _p, train: { threads: _t, ...train }, ...run }: RunConfig): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value) || typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .sort()
        .map(([key, inner]) => [key, sorted(inner)]),
    )
  }
  return createHash('sha256')
    .update(JSON.stringify(sorted({ ...run, train })))
    .digest('hex')
    .slice(0, 8)
}

/** The run of an arm with a seed and a learning rate; `run` is the arm's, or what of it tries a rate. */
export function trialOf({ name }: Arm, run: RunConfig, seed: number, learningRate: number | null, times: number | null = null): Trial {
  const own: RunConfig = { ...run, train: { ...run.train, seed, learningRate } }
  const words = [name, `seed ${seed}`, ...(times === null ? [] : [`rate ${times}`])].join(' ')
  return { id: `${slug(words)}-${digestOf(own)}`, arm: name, seed, times, run: own }
}

/** Where a trial lies: its run, and what was judged of it. */
export const trialFolder = (out: string, { id }: Pick<Trial, 'id'>): string => join(out, 'trials', id)
export const runFolder = (folder: string): string => join(folder, 'run')
