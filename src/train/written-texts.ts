import type { GenerateSettings, RunConfig } from '../config/run-config.ts'
import type { Row } from '../data/read-rows.ts'
import type { Reading } from '../data/reading.ts'
import { UserError } from '../errors.ts'
import type { OpenTask } from '../evaluate/open-task.ts'
import type { Progress } from '../evaluate/progress.ts'
import { type TextsToScore, type TextTerms, termsOfTexts, textsToScore } from '../generate/scored-texts.ts'
import { textMetric } from '../metrics/text/index.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { DataSets, RowSet } from './data-sets.ts'

/** What a run's evaluations have the model write; null where the run asks for no texts, or has no such rows. */
export interface RunTexts {
  readonly evaluation: TextsToScore | null
  readonly test: TextsToScore | null
}

const metricsOf = ({ metric }: GenerateSettings): string[] => [metric].flat()

/** The scores that a run's texts have, by name; none where it asks for none. */
export const textScoreNames = ({ generate }: RunConfig): string[] =>
  generate === null ? [] : [...new Set(metricsOf(generate).flatMap((name) => textMetric(name).names))]

/** @throws UserError for texts that are asked of a task without them, or that nothing would show */
export function checkTexts({ generate, data }: RunConfig, { name, task }: OpenTask): void {
  if (generate === null) return
  if (!task.writes) throw new UserError(`generate has a model write texts, and ${name} has none to write; leave it out.`)
  if (data.eval === null && data.test === null)
    throw new UserError('generate scores texts of evaluation rows: give data.eval or data.test.')
}

/** The texts that a run asks for; errors are those of `textsToScore`. */
export function runTexts(
  { generate }: RunConfig,
  open: OpenTask,
  method: Method,
  sets: DataSets,
  readingOf: (rows: readonly Row[]) => Reading,
): RunTexts {
  const asked = (scored: readonly RowSet[] | null, most: number | null): TextsToScore | null => {
    if (generate === null || scored === null) return null
    const rows = scored.flatMap((own) => own.rows)
    return textsToScore(open, method, rows.slice(0, most ?? rows.length), readingOf(rows))
  }
  return { evaluation: asked(sets.eval, generate?.rows ?? null), test: asked(sets.test, null) }
}

/** What a deployed model writes, as metrics see it; null where nothing is asked of it. */
export async function writtenTerms(
  { generate, train }: RunConfig,
  open: OpenTask,
  model: { readonly method: Method; readonly state: ReadonlyMap<string, Tensor> },
  asked: TextsToScore | null,
  progress?: Progress,
): Promise<TextTerms | null> {
  if (generate === null || asked === null) return null
  const { metric: _metric, rows: _rows, ...options } = generate
  const threads = train.threads === null ? {} : { threads: train.threads }
  return termsOfTexts(open, model, asked, { metric: metricsOf(generate), options, batchSize: train.evalBatchSize, progress, ...threads })
}

/** The scores of what a deployed model writes; none where nothing is asked of it. */
export async function scoreWritten(...given: Parameters<typeof writtenTerms>): Promise<Record<string, number>> {
  const written = await writtenTerms(...given)
  return written === null ? {} : written.scores(written.rows)
}
