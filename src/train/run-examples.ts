import type { RunConfig } from '../config/run-config.ts'
import { type Example, examplesIn, type Item } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Columns, Reading } from '../data/reading.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { asked, dataset, taskColumns } from '../evaluate/dataset.ts'
import { methodFor } from '../evaluate/weight-counts.ts'
import { labelColumn } from '../tasks/one-example.ts'
import { type DataSets, withShots } from './data-sets.ts'
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
  return {
    reading,
    examples: examplesIn(read(sets.train)),
    evaluation: sets.eval && asked(task, read(sets.eval)),
    test: sets.test && asked(task, read(sets.test)),
    texts: runTexts(config, open, method, sets, readingOf),
  }
}
