import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseRun } from '../config/parse.ts'
import type { RunConfig } from '../config/run-config.ts'
import { namesIn, type RowFiles } from '../data/row-files.ts'
import { readFields, writeText } from '../formats/json-file.ts'
import { deviation, mean } from '../metrics/moments.ts'
import { tasks } from '../tasks/index.ts'
import { onTest } from '../tasks/metric-name.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { namesBySet } from '../tasks/scored-by-set.ts'
import { makeFolder } from '../weights/file-access.ts'
import type { RunOptions, RunSummary } from './run.ts'
import * as single from './run.ts'
import { textScoreNames } from './written-texts.ts'

/** Numbers by the names of metrics; those on the test rows as `test accuracy`. */
type Numbers = Readonly<Record<string, number>>

/** What several seeds came to. */
export interface SeedsSummary {
  readonly bySeed: readonly { readonly seed: number; readonly metrics: Numbers }[]
  readonly mean: Numbers
  /** Of a sample: over the number of seeds less one. */
  readonly deviation: Numbers
}

const CONFIG = 'config.json'
const METRICS = 'metrics.json'
const folderOf = (out: string, seed: number): string => join(out, `seed-${seed}`)

function metricsOf(folder: string, config: RunConfig): Numbers {
  const { test = {}, ...found } = readFields(join(folder, METRICS)) as { test?: Record<string, unknown>; [name: string]: unknown }
  const { metricNames } = tasks[describeTask(config.task).kind]
  const namesOf = (files: RowFiles | null): string[] => [...namesBySet(metricNames, namesIn(files)), ...textScoreNames(config)]
  const given = [
    ...namesOf(config.data.eval).map((name) => [name, found[name]]),
    ...namesOf(config.data.test).map((name) => [onTest(name), test[name]]),
  ]
  return Object.fromEntries(given.filter((pair): pair is [string, number] => typeof pair[1] === 'number'))
}

function summaryOf(out: string, seeds: readonly number[], config: RunConfig): SeedsSummary {
  const bySeed = seeds.map((seed) => ({ seed, metrics: metricsOf(folderOf(out, seed), config) }))
  const names = Object.keys(bySeed[0]!.metrics)
  const of = (number: (values: readonly number[]) => number): Numbers =>
    Object.fromEntries(names.map((name) => [name, number(bySeed.map(({ metrics }) => metrics[name]!))]))
  return { bySeed, mean: of(mean), deviation: of(deviation) }
}

/** Trains one seed after the other, each in a folder of its own; those that are finished are left alone. */
async function trainSeeds(out: string, config: RunConfig, seeds: readonly number[], options: RunOptions): Promise<RunSummary> {
  let last: RunSummary | null = null
  for (const [i, seed] of seeds.entries()) {
    const folder = folderOf(out, seed)
    if (existsSync(join(folder, METRICS)) && i < seeds.length - 1) continue
    options.notice?.(`Seed ${seed}, ${i + 1} of ${seeds.length}.`)
    const own: RunConfig = { ...config, out: null, train: { ...config.train, seed, seeds: null } }
    last = existsSync(join(folder, CONFIG)) ? await single.resume(folder, options) : await single.train(own, { ...options, out: folder })
    if (!last.finished) return { ...last, out }
  }
  const summary = summaryOf(out, seeds, config)
  writeText(join(out, METRICS), `${JSON.stringify(summary, null, 2)}\n`)
  return { ...last!, out, seeds: summary }
}

/**
 * Starts a run in a new folder, or with `train.seeds` one for each seed in folders within it. Everything of the first is read and checked
 * before its folder is made.
 * @throws UserError for settings, files or rows that do not fit, and for a loss that is not finite
 */
export async function train(config: RunConfig, options: RunOptions = {}): Promise<RunSummary> {
  const { seeds } = config.train
  if (seeds === null) return single.train(config, options)
  const out = single.freeFolder(config, options)
  makeFolder(out)
  writeText(join(out, CONFIG), `${JSON.stringify({ ...config, out: null }, null, 2)}\n`)
  try {
    return await trainSeeds(out, config, seeds, options)
  } catch (error) {
    // Where nothing has begun, the folder is as free as before.
    if (!seeds.some((seed) => existsSync(folderOf(out, seed)))) rmSync(join(out, CONFIG))
    throw error
  }
}

/** Goes on with the run of a folder, or with those of its seeds; with the same data and settings it ends in the same bytes. */
export async function resume(out: string, options: RunOptions = {}): Promise<RunSummary> {
  const file = join(out, CONFIG)
  const config = existsSync(file) ? parseRun(readFields(file), file) : null
  return config?.train.seeds ? trainSeeds(out, config, config.train.seeds, options) : single.resume(out, options)
}
