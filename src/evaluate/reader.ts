import type { Item } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { type Columns, readingFields, type Spans, type Texts } from '../data/reading.ts'
import { at, noColumn } from '../data/row.ts'
import type { Adapted } from './adapted.ts'
import { arrangement } from './arrangement.ts'
import { dataset, taskColumns } from './dataset.ts'

export interface ReaderOptions {
  /** Columns of the rows; by default those of the run that made the adapter or model, else guessed from their names. */
  readonly columns?: Columns | null
  /** Texts are truncated to so many tokens; by default as in that run, else as the task has it. */
  readonly maxLength?: number
  /** How answers are found in long texts; what is left out is as in that run. */
  readonly spans?: Partial<Spans>
  /** How texts are put to a model that writes; what is left out is as in that run. */
  readonly texts?: Partial<Texts>
}

/** Items with what their rows are called in a column, where these have it. */
function named(items: readonly Item[], rows: readonly Row[], column: string): Item[] {
  const names = new Map(rows.map((row) => [at(row), row.values.get(column)]))
  return items.map((item) => ({ ...item, id: names.get(at(item)) }))
}

/** Turns rows into items as the adapter's run did, where nothing else is said; `labelled` where labels are needed. */
export type Reader = (rows: readonly Row[], labelled: boolean) => Item[]

export function openReader({ open, method, reading: run }: Adapted, options: ReaderOptions): Reader {
  const { subject, task, labels } = open
  const { reserved } = arrangement(subject, method)
  const maxLength = options.maxLength ?? run?.maxLength ?? task.maxLength
  const spans = { ...(run?.spans ?? readingFields.spans.parse(undefined)), ...options.spans }
  const texts = { ...(run?.texts ?? readingFields.texts.parse(undefined)), ...options.texts }
  const given = options.columns ?? run?.columns ?? null
  const id = options.columns?.id
  return (rows, labelled) => {
    // Columns that the run named hold for data files of its kind, not for questions put otherwise.
    const fits = options.columns || rows.every(({ values }) => given === null || values.has(given.text))
    const columns = (fits ? given : null) ?? taskColumns(open.description, rows)
    const nameless = id === undefined ? undefined : rows.find(({ values }) => !values.has(id))
    if (nameless) throw noColumn(nameless, id!)
    const items = dataset(subject.model, task, labels, rows, { reading: { columns, maxLength, spans, texts }, labelled, reserved })
    return named(items, rows, columns?.id ?? 'id')
  }
}
