import type { RunConfig } from '../config/run-config.ts'
import { type Example, examplesIn, type Item } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Columns, Reading } from '../data/reading.ts'
import { UserError } from '../errors.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { asked, dataset, taskColumns } from '../evaluate/dataset.ts'
import { methodFor } from '../evaluate/method-for.ts'
import type { OpenTask } from '../evaluate/open-task.ts'
import { labelColumn } from '../tasks/one-example.ts'
import { inSet } from '../tasks/scored-by-set.ts'
import { type DataSets, type RowSet, withShots } from './data-sets.ts'
import type { OpenRun } from './open-run.ts'
import { type RunTexts, runTexts } from './written-texts.ts'

/** A run's rows as its model is asked about them. */
export interface RunExamples {
  /** How its training rows are read, every choice made. */
  readonly reading: Reading
  readonly examples: readonly Example[]
  readonly evaluation: readonly Item[] | null
  readonly test: readonly Item[] | null
  readonly texts: RunTexts
  /** Some rows to compare what is made of the run on, of the evaluation's where there are any, else of those trained on. */
  readonly sample: readonly Item[]
}

const MOST_SAMPLED = 256

/** So many items at the most, from all over. */
function sampled(items: readonly Item[]): readonly Item[] {
  const count = Math.min(items.length, MOST_SAMPLED)
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!)
}

/** One class is right whatever is answered. Rows that do not fit are told before: they may be why. */
function checkClasses({ data }: RunConfig, { name, task, labels }: OpenTask): void {
  if (task.classes && labels.length < 2)
    throw new UserError(
      `${name} needs two classes or more, and has ${labels.join() || 'none'}; look at the labels of ${data.train}, or name the classes as data.labels.`,
    )
}

/** The rows that a run takes of its files, in the task's form. UserError with file and line for the first that does not fit. */
export function runExamples(config: RunConfig, { open, options }: OpenRun, files: DataSets): RunExamples {
  const { subject, outline, task, labels, description } = open
  const columnsOf = (rows: readonly Row[]): Columns | null => config.data.columns ?? taskColumns(description, rows)
  const columns = columnsOf(files.train)
  const sets = withShots(files, task, labels, labelColumn(task.labelColumns, columns, files.train), config)
  const method = methodFor(subject, outline, options)
  const { reserved } = arrangement(subject, method)
  const { maxLength, spans, texts } = config.data
  const unsettled = { columns, maxLength: maxLength ?? task.maxLength, spans, texts }
  const reading = task.settle?.(sets.train, unsettled) ?? unsettled
  const readingOf = (rows: readonly Row[]): Reading => ({ ...reading, columns: columnsOf(rows) })
  const read = (rows: readonly Row[]): Item[] =>
    dataset(subject.model, task, labels, rows, { reading: readingOf(rows), labelled: true, reserved })
  const trained = read(sets.train)
  checkClasses(config, open)
  // File by file: plain text is read on from row to row, and not from one file into another.
  const scored = (own: readonly RowSet[]): readonly Item[] =>
    asked(
      task,
      own.flatMap(({ name, rows }) => inSet(read(rows), name)),
    )
  const evaluation = sets.eval && scored(sets.eval)
  return {
    reading,
    examples: examplesIn(trained),
    evaluation,
    test: sets.test && scored(sets.test),
    sample: evaluation ? sampled(evaluation) : asked(task, sampled(trained)),
    texts: runTexts(config, open, method, sets, readingOf),
  }
}
