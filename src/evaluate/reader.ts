import type { Example } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Adapted } from './adapted.ts'
import { arrangement } from './arrangement.ts'
import { type DatasetOptions, dataset, taskColumns } from './dataset.ts'

export interface ReaderOptions {
  /** Columns of the rows; by default those of the adapter's run, else guessed from their names. */
  readonly columns?: DatasetOptions['columns']
  /** Texts are truncated to so many tokens; by default as in the adapter's run, else to 128. */
  readonly maxLength?: number
}

/** Turns rows into examples as the adapter's run did, where nothing else is said; `labelled` where labels are needed. */
export type Reader = (rows: readonly Row[], labelled: boolean) => Example[]

export function openReader({ open, adapter, method }: Adapted, options: ReaderOptions): Reader {
  const { reserved } = arrangement(open.subject, method)
  const maxLength = options.maxLength ?? adapter?.card.reading?.maxLength ?? 128
  const named = options.columns ?? adapter?.card.reading?.columns ?? null
  return (rows, labelled) => {
    // Columns that the run named hold for data files of its kind, not for questions put otherwise.
    const fits = options.columns || rows.every(({ values }) => named === null || values.has(named.text))
    const columns = (fits ? named : null) ?? taskColumns(open.description, rows)
    return dataset(open.subject.model, open.task, open.labels, rows, { columns, maxLength, labelled, reserved })
  }
}
