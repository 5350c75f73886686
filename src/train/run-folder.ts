import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseRun } from '../config/parse.ts'
import type { RunConfig } from '../config/run-config.ts'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { LOCK } from '../formats/folder-lock.ts'
import { readFields } from '../json-file.ts'
import type { Model } from '../models/open.ts'
import { quoted } from '../quoted.ts'
import { writeText } from '../weights/atomic-file.ts'
import type { Environment } from './environment.ts'
import { modelFingerprint, sourceHashes } from './sources.ts'

export const CONFIG = 'config.json'
const ENVIRONMENT = 'env.json'

/** Whether a run has begun in a folder. */
export const isRun = (out: string): boolean => existsSync(join(out, CONFIG))

/** The folder of a new run. Throws UserError where there is none, or it holds other files. */
export function freeFolder(config: RunConfig, { out = config.out ?? undefined }: { readonly out?: string | undefined }): string {
  if (!out) throw new UserError('The run has no folder: give "out" in the run file, or --out.')
  // A kill between the two files that start a run leaves the first of them, and the lock.
  const held = existsSync(out) ? explained(out, () => readdirSync(out)) : []
  if (held.some((name) => ![ENVIRONMENT, LOCK].includes(name))) {
    throw new UserError(`${out} is not empty. Go on with its run by --resume ${quoted(out)}, or choose another folder with --out.`)
  }
  return out
}

const writeJson = (folder: string, name: string, value: unknown): void =>
  writeText(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)

/** Begins a run in a folder; one over several seeds has no environment of its own. */
export function writeBegin(out: string, config: RunConfig, found: Environment | null): void {
  if (found) writeJson(out, ENVIRONMENT, found)
  writeJson(out, CONFIG, { ...config, out: null })
}

/** The settings of a run, every choice made. Throws UserError where the folder holds none. */
export function configOf(out: string): RunConfig {
  if (!isRun(out)) throw new UserError(`${out} holds no run: it has no ${CONFIG}.`)
  const file = join(out, CONFIG)
  return parseRun(readFields(file), file)
}

/**
 * Holds what a run of these settings reads against what it was when the run in a folder began: files now, the model once it is given.
 * @throws UserError for what is gone or has changed
 */
export function unchangedSince(out: string, config: RunConfig): (model: Model) => void {
  const began = readFields(join(out, ENVIRONMENT)) as unknown as Partial<Environment>
  const sources = began.sources ?? {}
  for (const name of Object.keys(sources)) {
    if (!existsSync(name))
      throw new UserError(`${name}, a source of the run in ${out}, is not there; put it back, or resume in the folder where the run began.`)
  }
  const changed = (name: string): UserError => new UserError(`${name} has changed since the run in ${out} began; start a new run.`)
  for (const [name, hash] of Object.entries(sourceHashes(config))) if (sources[name] !== hash) throw changed(name)
  return (model) => {
    if (began.model !== modelFingerprint(model)) throw changed(config.model)
  }
}
