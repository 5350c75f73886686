import { isDeepStrictEqual } from 'node:util'
import { withSettings } from '../settings/plain.ts'
import { parseRun } from './parse.ts'
import type { PublishedResult } from './published.ts'
import type { RunConfig } from './run-config.ts'

/**
 * The run of a published result; null where no run here is it.
 * @throws UserError for settings that a run cannot have
 */
export function publishedRun(config: RunConfig, { method, set }: PublishedResult): RunConfig | null {
  return set && parseRun(withSettings(structuredClone(config) as Record<string, unknown>, set), `published result of ${method}`)
}

/** The published results with whether the run has their settings. */
export function publishedResults(config: RunConfig): readonly { readonly result: PublishedResult; readonly own: boolean }[] {
  return (config.published?.results ?? []).map((result) => ({ result, own: isDeepStrictEqual(publishedRun(config, result), config) }))
}
