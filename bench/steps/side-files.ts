import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunConfig, RunSettings } from '../../src/config/run-config.ts'
import { prepare } from '../../src/train/prepare.ts'
import type { Case, SideSettings } from './case.ts'
import { cache, updates } from './cases.ts'

export const learningRate = 1e-4

interface Files {
  readonly model: string
  readonly rows: string
}

/** A run that makes a side's steps. */
export function settingsOf(
  { task = 'sequence-classification', batchSize, dropout }: Pick<Case, 'task' | 'batchSize' | 'dropout'>,
  { method, base, train }: Omit<SideSettings, 'engine'>,
  files: Files,
  threads: number,
): RunSettings {
  return {
    model: files.model,
    task,
    method,
    ...(base && { base }),
    data: { train: files.rows },
    train: { batchSize, dropout, learningRate, schedule: 'constant', warmupRatio: 0, steps: updates, threads, ...train },
  }
}

interface PeerFiles {
  readonly files: Files
  readonly batches: string
  readonly threads: number
}

/** The file that tells the peer what to do. */
export function peerCase(
  name: string,
  { task = 'sequence-classification', products = [], dropout }: Case,
  { method }: SideSettings,
  { files, batches, threads }: PeerFiles,
): string {
  mkdirSync(cache, { recursive: true })
  const file = join(cache, `${name}-peer.json`)
  writeFileSync(file, JSON.stringify({ model: files.model, task, batches, method, updates, dropout, learningRate, threads, products }))
  return file
}

/** A file of the rows that the first updates of a run read. */
export async function batchesOf(name: string, config: RunConfig, made: number): Promise<string> {
  mkdirSync(cache, { recursive: true })
  const file = join(cache, `${name}-batches.json`)
  const { plan } = await prepare(config)
  const rowsOf = (step: number) => plan.microBatches(step)[0]!.map(({ ids, types, label }) => ({ ids: [...ids], types: [...types], label }))
  writeFileSync(file, JSON.stringify(Array.from({ length: made }, (_, step) => rowsOf(step))))
  return file
}
