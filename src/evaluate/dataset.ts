import { type Columns, type Example, examplesOf } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { loadTokenizer, type Tokenizer } from '../data/tokenizer.ts'
import type { Model } from '../models/open.ts'
import type { LabelNames, Task } from '../tasks/task.ts'
import { isHead, type Subject } from './assembly.ts'

export interface DatasetOptions {
  readonly columns: { readonly text: string; readonly pair?: string | null | undefined; readonly label: string } | null
  readonly maxLength: number
  /** Positions that the method keeps for itself. */
  readonly reserved?: number
  /** Whether rows must have labels; else they are not looked at: test sets carry -1 and the like. */
  readonly labelled: boolean
}

/** The column that holds labels where a run names none: `label`, else `labels`, else `score`. */
export function labelColumn(columns: DatasetOptions['columns'], rows: readonly Row[]): string {
  if (columns) return columns.label
  const names = rows[0]?.values
  return ['label', 'labels', 'score'].find((name) => names?.has(name)) ?? 'label'
}

/** Rows as examples for a model and task, tokenised with the model's own tokenizer. */
export function dataset(model: Model, task: Task, names: LabelNames, rows: readonly Row[], options: DatasetOptions): Example[] {
  const { wiring } = model
  const column = labelColumn(options.columns, rows)
  let tokenizer: Tokenizer | null = null
  const columns: Columns | null = options.columns && { text: options.columns.text, pair: options.columns.pair ?? null }
  const { decoder } = wiring
  return examplesOf(rows, {
    columns,
    tokenizer: () => (tokenizer ??= loadTokenizer(model.folder)),
    maxLength: options.maxLength,
    vocabularySize: wiring.vocabularySize,
    maxPositions: wiring.maxPositions - (options.reserved ?? 0),
    ...(wiring.typeVocabularySize !== undefined && { typeVocabularySize: wiring.typeVocabularySize }),
    ...(decoder && { decoder }),
    label: (row) => (options.labelled || decoder ? task.label(row, column, names) : null),
  })
}

/** The class names that a model folder brings with a trained head; null where it has no head of its own. */
export function modelLabels(subject: Subject): LabelNames | null {
  const { model } = subject
  // A head without weights of its own is there with the model.
  if (model.wiring.heads[subject.head.wiring]?.modules.length === 0) return []
  const ownHead = [...model.tensors.keys()].some((name) => isHead(subject, name))
  const names = model.config.id2label
  if (!ownHead) return null
  if (typeof names !== 'object' || names === null) return ['LABEL_0', 'LABEL_1']
  return Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name))
}
