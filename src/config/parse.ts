import { z } from 'zod'
import { parseSettings, readSettings } from '../settings/document.ts'
import { type RunConfig, runConfig } from './run-config.ts'
import { expandVariables } from './variables.ts'

/** Parses a run from plain data. */
export const parseRun = (raw: unknown, where: string): RunConfig => parseSettings(runConfig, raw, where)

/**
 * Reads a run file, YAML or JSON, with `--set` changes on top. Paths take variables of the environment. Wrong or unknown keys are errors
 * with file, line and the nearest valid name.
 */
export const readRun = (file: string, settings: readonly string[] = []): RunConfig =>
  readSettings(runConfig, file, 'run file', settings, (raw, locate) => expandVariables(raw, process.env, locate))

/** The schema of run files as JSON Schema, for editors. */
export function runJsonSchema(): unknown {
  return z.toJSONSchema(runConfig, { io: 'input' })
}
