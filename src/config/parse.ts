import { z } from 'zod'
import { parseSettings, readSettings } from '../settings/document.ts'
import { type RunConfig, runConfig } from './run-config.ts'
import { expandVariables } from './variables.ts'

/** Parses a run from plain data. Throws UserError for wrong or unknown keys, with `where` they are. */
export const parseRun = (raw: unknown, where: string): RunConfig => parseSettings(runConfig, raw, where)

/**
 * Reads a run file, YAML or JSON, with `--set` changes on top. Paths take variables of the environment.
 * @throws UserError for a file that cannot be read, for a variable that is not set, and for wrong or unknown keys, with file, line and the
 * nearest valid name
 */
export const readRun = (file: string, settings: readonly string[] = []): RunConfig =>
  readSettings(runConfig, file, 'run file', settings, (raw, locate) => expandVariables(raw, process.env, locate))

/** The schema of run files as JSON Schema, for editors. */
export function runJsonSchema(): unknown {
  return z.toJSONSchema(runConfig, { io: 'input' })
}
