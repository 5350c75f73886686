import type { Item } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Reading } from '../data/reading.ts'
import { loadTokenizer, type Tokenizer } from '../data/tokenizer.ts'
import type { Model } from '../models/open.ts'
import type { LabelNames, Task } from '../tasks/task.ts'
import { isHead, type Subject } from './assembly.ts'

export interface DatasetOptions {
  readonly reading: Reading
  /** Positions that the method keeps for itself. */
  readonly reserved?: number
  /** See `Source`. */
  readonly labelled: boolean
}

/** Rows as items for a model and task, tokenised with the model's own tokenizer. */
export function dataset(
  { wiring, folder }: Model,
  task: Task,
  names: LabelNames,
  rows: readonly Row[],
  { reading, reserved = 0, labelled }: DatasetOptions,
): Item[] {
  let tokenizer: Tokenizer | null = null
  const source = {
    reading,
    labelled,
    tokenizer: () => (tokenizer ??= loadTokenizer(folder)),
    vocabularySize: wiring.vocabularySize,
    maxPositions: wiring.maxPositions - reserved,
    ...(wiring.typeVocabularySize !== undefined && { typeVocabularySize: wiring.typeVocabularySize }),
    ...(wiring.decoder && { decoder: wiring.decoder }),
  }
  return task.read(rows, source, names)
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
