import { type Columns, type Example, examplesOf, type TextEncoder } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { loadTokenizer } from '../data/tokenizer.ts'
import type { Model } from '../models/open.ts'
import { keyOf } from '../random/key.ts'
import type { LabelNames, Task } from '../tasks/task.ts'
import type { TaskFile } from '../tasks/task-file.ts'
import { isHead, type Subject } from './assembly.ts'

export interface DatasetOptions {
  readonly columns: { readonly text: string; readonly pair?: string | null | undefined; readonly label: string } | null
  readonly maxLength: number
  /** Positions that the method keeps for itself. */
  readonly reserved?: number
  /** Whether rows must have labels; else they are not looked at: test sets carry -1 and the like. */
  readonly labelled: boolean
}

/** The column that holds labels where a run names none: `label`, or another name that is usual. */
export function labelColumn(columns: DatasetOptions['columns'], rows: readonly Row[]): string {
  if (columns) return columns.label
  const names = rows[0]?.values
  return ['label', 'labels', 'score', 'ner_tags', 'tags'].find((name) => names?.has(name)) ?? 'label'
}

/**
 * Of the columns that a task may have, the first that the rows have, with the label if possible; null where rows are put otherwise, as
 * token ids or questions are.
 */
export function taskColumns({ columns }: TaskFile, rows: readonly Row[]): DatasetOptions['columns'] {
  const has = (...names: (string | null)[]): boolean => names.every((name) => name === null || rows[0]?.values.has(name))
  const known = columns === null ? [] : [columns].flat()
  return known.find(({ text, pair, label }) => has(text, pair, label)) ?? known.find(({ text, pair }) => has(text, pair)) ?? null
}

/** Rows as examples for a model and task, tokenised with the model's own tokenizer. */
export function dataset(model: Model, task: Task, names: LabelNames, rows: readonly Row[], options: DatasetOptions): Example[] {
  const { wiring } = model
  const column = labelColumn(options.columns, rows)
  let tokenizer: TextEncoder | null = task.encoder ?? null
  const columns: Columns | null = options.columns && { text: options.columns.text, pair: options.columns.pair ?? null }
  const maxPositions = wiring.maxPositions - (options.reserved ?? 0)
  const own = { text: columns?.text ?? null, label: column }
  const examples = examplesOf(rows, {
    columns,
    tokenizer: () => (tokenizer ??= loadTokenizer(model.folder)),
    maxLength: options.maxLength,
    vocabularySize: wiring.vocabularySize,
    maxPositions,
    ...(wiring.typeVocabularySize !== undefined && { typeVocabularySize: wiring.typeVocabularySize }),
    own: (row) => task.read?.(row, own, options.labelled ? names : null, Math.min(options.maxLength, maxPositions)) ?? null,
    label: (row) => (options.labelled ? task.label(row, column, names) : null),
  })
  for (const example of examples) task.check?.(example)
  return examples
}

/** Examples as evaluations ask them, every time alike. */
export const asked = ({ drawn }: Task, examples: readonly Example[]): readonly Example[] =>
  drawn ? examples.map((example, i) => drawn(example, keyOf('evaluation', i))) : examples

/** The class names that a model folder brings with a trained head; null where it has no head of its own. */
export function modelLabels(subject: Subject): LabelNames | null {
  const { model } = subject
  const ownHead = [...model.tensors.keys()].some((name) => isHead(subject, name))
  const names = model.config.id2label
  if (!ownHead) return null
  if (typeof names !== 'object' || names === null) return ['LABEL_0', 'LABEL_1']
  return Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name))
}
