import { publishedResults } from '../config/published-runs.ts'
import type { RunConfig } from '../config/run-config.ts'
import { inspectMethod, type MethodInspection } from '../evaluate/inspection.ts'
import { metricTextOf } from '../track/metric-text.ts'
import { bytes, count, flops } from '../track/numbers.ts'
import { publishedTable } from '../track/published-table.ts'
import { type Foretold, foretell } from '../train/forecast/foretell.ts'
import { methodText } from './inspection-text.ts'
import { inspectModel, type ModelInspection } from './model-inspection.ts'

/** What a run would be. */
export interface DryRun extends Foretold {
  readonly model: ModelInspection
  /** It counts what `train.trainAlso` adds, too; `weights` does not. */
  readonly method: MethodInspection
}

/**
 * Checks a run and foretells what it takes.
 * @throws UserError for whatever would keep the run from its start, weights apart
 */
export async function dryRun(config: RunConfig): Promise<DryRun> {
  const { open, options, besides, length, costAt: _, ...foretold } = await foretell(config)
  return {
    model: inspectModel(open, length),
    method: inspectMethod(open.subject, open.outline, options, { length, besides }),
    ...foretold,
  }
}

const sources = {
  data: '',
  rows: ' (rows of the file; without a tokenizer they are not read)',
  shots: ' (by data.shots)',
  'published.rows': ' (by published.rows)',
} as const

function text(config: RunConfig, found: DryRun): string {
  const { examples, totalSteps, warmupSteps, epochs, trainFlops, memoryBytes, memory } = found
  const parts = Object.entries(memory).flatMap(([what, n]) => (n > 0 ? [`${what} ${bytes(n)}`] : []))
  const results = publishedResults(config)
  const read = examples ? `${count(examples.count)} examples${sources[examples.from]}, ` : ''
  const during = epochs === null ? '' : ` in ${Number(epochs.toFixed(2))} epochs`
  const seeds = config.train.seeds === null ? '' : `, for each of ${config.train.seeds.length} seeds`
  return (
    `${methodText(found.model, config.method, found.method, found.step)}` +
    `${read}${count(totalSteps)} updates${during}, ${count(warmupSteps)} of them warm-up; ${flops(trainFlops)}${seeds}\n` +
    `memory: about ${bytes(memoryBytes)} (${parts.join(', ')})${examples?.meanLength ? '' : ', for rows of the full length'}\n` +
    `${found.chosen === null ? '' : `${found.chosen}\n`}` +
    `${config.published ? `\n${publishedTable(config.published, results, null, metricTextOf(config.task))}` : ''}`
  )
}

/** What a run would be, for `train --dry-run`; ends in a line break. */
export async function dryRunText(config: RunConfig, json: boolean): Promise<string> {
  const found = await dryRun(config)
  return json ? `${JSON.stringify({ ...found, published: config.published }, null, 2)}\n` : text(config, found)
}
