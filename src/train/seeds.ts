import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { namesIn, type RowFiles } from '../data/row-files.ts'
import { readFields } from '../json-file.ts'
import { deviation, mean } from '../metrics/moments.ts'
import { tasks } from '../tasks/index.ts'
import { onTest } from '../tasks/metric-name.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { namesBySet } from '../tasks/scored-by-set.ts'
import { writeText } from '../weights/atomic-file.ts'
import { makeFolder } from '../weights/file-access.ts'
import * as single from './run.ts'
import { CONFIG, configOf, freeFolder, isRun, writeBegin } from './run-folder.ts'
import type { RunOptions } from './run-options.ts'
import type { Numbers, RunSummary, SeedsSummary } from './run-summary.ts'
import { textScoreNames } from './written-texts.ts'

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
    const own: RunConfig = { ...config, train: { ...config.train, seed, seeds: null } }
    // Seeds are averaged, so that all of them must have read the same.
    const alike = i === 0 ? undefined : folderOf(out, seeds[0]!)
    last = isRun(folder) ? await single.resume(folder, options) : await single.train(own, { ...options, out: folder, alike })
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
  const out = freeFolder(config, options)
  makeFolder(out)
  writeBegin(out, config, null)
  try {
    return await trainSeeds(out, config, seeds, options)
  } catch (error) {
    // Where nothing has begun, the folder is as free as before.
    if (!seeds.some((seed) => existsSync(folderOf(out, seed)))) rmSync(join(out, CONFIG))
    throw error
  }
}

/**
 * Goes on with the run of a folder, or with those of its seeds; with the same data and settings it ends in the same bytes.
 * @throws UserError for a folder without a run or at which another process works, for files or a model that are gone or have changed since
 * the run began, for a full disk, and for a loss that is not finite
 */
export async function resume(out: string, options: RunOptions = {}): Promise<RunSummary> {
  const config = configOf(out)
  const { seeds } = config.train
  return seeds ? trainSeeds(out, config, seeds, options) : single.resume(out, options)
}
