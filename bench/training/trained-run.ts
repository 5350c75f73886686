import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { markdownTable } from '../../src/track/markdown-table.ts'
import { type Circumstances, circumstances } from '../report/circumstances.ts'

export const root = resolve(import.meta.dirname, '../..')

type Metrics = Readonly<Record<string, number>>

/** What a run from the command line left. */
export interface TrainedRun extends Circumstances {
  /** Of the kept evaluation, and what the run took. */
  readonly best: Metrics
  readonly last: Metrics
  readonly tokensPerSecond: number
}

/** Folder with models and data; without it the process ends. */
export function assetsFolder(needed: string): string {
  const assets = process.env.ADATUNE_ASSETS
  if (assets) return assets
  console.error(`Set ADATUNE_ASSETS to the folder that holds ${needed}.`)
  process.exit(2)
}

/** The folder of a run below `work`. */
export const runFolder = (work: string, key: string): string => join(work, key.replaceAll(' ', '-'))

/** Trains by the command line, going on where an earlier run was stopped; a finished run is left as it is, without its checkpoints. */
export function trainedRun(work: string, key: string, settings: object): TrainedRun {
  mkdirSync(work, { recursive: true })
  const [file, out] = [join(work, 'run.json'), runFolder(work, key)]
  writeFileSync(file, JSON.stringify(settings))
  const finished = existsSync(join(out, 'metrics.json'))
  const going = existsSync(join(out, 'config.json')) ? ['--resume', out] : [file, '--out', out]
  const found = circumstances()
  console.log(`${new Date().toISOString()} ${key}`)
  const run = finished
    ? { status: 0 }
    : spawnSync(process.execPath, [join(root, 'bin/adatune.js'), 'train', ...going, '--quiet'], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (run.status !== 0) throw new Error(`${key} ended with ${run.status}`)
  const best = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'))
  const last = readFileSync(join(out, 'run.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .findLast(({ event }) => event === 'eval')
  rmSync(join(out, 'checkpoints'), { recursive: true, force: true })
  return { best, last, tokensPerSecond: Math.round(best.tokens / best.seconds), ...found }
}

/** Results by their keys, as they were left. */
export const readResults = <Result>(file: string): Record<string, Result> =>
  existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}

/** Writes results as JSON, and beside it a table to read. */
export function writeResults(file: string, results: object, preface: string, columns: string, rows: readonly (readonly unknown[])[]): void {
  const table = markdownTable(
    columns.split(' | '),
    rows.map((row) => row.map((each) => String(each ?? ''))),
  )
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(file.replace(/json$/, 'md'), `${preface}\n${table}\n`)
}
