import type { Example } from '../data/examples.ts'
import type { Reading } from '../data/reading.ts'
import { at, columnsOf, type Row } from '../data/row.ts'
import { textColumns } from '../data/written-texts.ts'
import { UserError } from '../errors.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { dataset } from '../evaluate/dataset.ts'
import type { OpenTask } from '../evaluate/open-task.ts'
import type { Progress } from '../evaluate/progress.ts'
import { type References, scoresOfTerms, textMetric, textTerms } from '../metrics/text/index.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { askedTexts } from './asked-texts.ts'
import { modelTexts } from './model-texts.ts'
import type { GivenOptions } from './options.ts'
import { openWriter } from './writer.ts'

/** What a model is asked to write, and what it is compared with. */
export interface TextsToScore {
  readonly examples: readonly Example[]
  readonly references: References
}

/**
 * The texts of some rows, each once, with the references of all rows that have it.
 * @throws UserError for a row without references, and for one that leaves the model no room to write
 */
export function textsToScore(
  { subject, task, labels }: OpenTask,
  method: Pick<Method, 'sequence'>,
  rows: readonly Row[],
  reading: Reading,
): TextsToScore {
  const [row] = rows
  if (row && textColumns(rows, reading.columns).target === null) {
    const without = 'Name their column as data.columns.label, or leave generate out.'
    throw new UserError(`${at(row)}: texts that are written need references to be scored by, and the row has ${columnsOf(row)}. ${without}`)
  }
  const asked = askedTexts(rows, reading.columns, true)
  const { reserved } = arrangement(subject, method)
  const items = dataset(
    subject.model,
    task,
    labels,
    asked.map((each) => each.row),
    { reading, labelled: false, reserved },
  )
  const examples = items.map((item) => item.examples[0]!)
  modelTexts(subject, method).checkRoom(examples)
  return { examples, references: asked.map(({ references }) => references) }
}

export interface ScoringOptions {
  /** Metrics or scores of texts, by name. */
  readonly metric: readonly string[]
  readonly options: GivenOptions
  readonly batchSize: number
  readonly threads?: number
  readonly progress?: Progress | undefined
}

/** Written texts as metrics see them. */
export interface TextTerms {
  /** What each text adds to the sums of each metric, [texts][metrics][terms]. */
  readonly rows: readonly (readonly (readonly number[])[])[]
  /** The scores of a corpus of such rows. */
  readonly scores: (rows: TextTerms['rows']) => Record<string, number>
}

/** Has a model write the texts and compares them with their references. */
export async function termsOfTexts(
  { subject }: OpenTask,
  { method, state }: { readonly method: Method; readonly state: ReadonlyMap<string, Tensor> },
  { examples, references }: TextsToScore,
  { metric, options, batchSize, threads, progress }: ScoringOptions,
): Promise<TextTerms> {
  const writer = await openWriter(subject, method, state, { ...(threads !== undefined && { threads }) })
  try {
    const written = await modelTexts(subject, method).write(writer, examples, options, batchSize, progress)
    const texts = written.map(({ text }) => text)
    const metrics = metric.map(textMetric)
    const terms = metrics.map((each) => textTerms(each, texts, references))
    return {
      rows: texts.map((_, i) => terms.map((own) => own[i]!)),
      scores: (rows) =>
        Object.assign(
          {},
          ...metrics.map((each, m) =>
            scoresOfTerms(
              each,
              rows.map((row) => row[m]!),
            ),
          ),
        ) as Record<string, number>,
    }
  } finally {
    await writer.close()
  }
}
