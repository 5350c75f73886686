import type { Item } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Columns, Reading } from '../data/reading.ts'
import { loadTokenizer, type Tokenizer } from '../data/tokenizer.ts'
import { UserError } from '../errors.ts'
import type { Model } from '../models/open.ts'
import { isHead } from '../nn/outline.ts'
import { keyOf } from '../random/key.ts'
import type { LabelNames, Task } from '../tasks/task.ts'
import type { TaskFile } from '../tasks/task-file.ts'
import { cacheFolder } from '../weights/cache-folder.ts'
import { headModules, type Subject } from './assembly.ts'
import { openTokenStore, type RowTokens } from './token-store.ts'

export interface DatasetOptions {
  readonly reading: Reading
  /** Positions that the method keeps for itself. */
  readonly reserved?: number
  /** See `Source`. */
  readonly labelled: boolean
}

/** The token that ends a text, of the one or several that a config names. */
const endToken = (ids: unknown): number | null => [ids].flat().find((id): id is number => typeof id === 'number') ?? null

/**
 * Rows as items for a model and task, tokenised with the model's own tokenizer.
 * @throws UserError for the first row that does not fit, and where no item is left of the rows
 */
export function dataset(
  { wiring, folder, config }: Model,
  task: Task,
  names: LabelNames,
  rows: readonly Row[],
  { reading, reserved = 0, labelled }: DatasetOptions,
): Item[] {
  let tokenizer: Tokenizer | null = null
  let store = null as RowTokens | null
  const storeOf = (settings: object): RowTokens | null => (store = openTokenStore(settings, rows, cacheFolder()))
  const source = {
    reading,
    labelled,
    tokenizer: () => (tokenizer ??= loadTokenizer(folder, storeOf)),
    vocabularySize: wiring.vocabularySize,
    maxPositions: wiring.maxPositions - reserved,
    ...(wiring.typeVocabularySize !== undefined && { typeVocabularySize: wiring.typeVocabularySize }),
    ...(wiring.decoder && { decoder: wiring.decoder }),
    end: endToken(config.eos_token_id),
  }
  const items = task.read(rows, source, names)
  if (rows.length > 0 && items.length === 0)
    throw new UserError(`${rows[0]!.file}: its texts are too short to ask anything of; give longer ones.`)
  store?.keep()
  return items
}

/** Items as evaluations ask them, every time alike. */
export const asked = ({ drawn }: Task, items: readonly Item[]): readonly Item[] =>
  drawn
    ? items.map((item, i) => ({ ...item, examples: item.examples.map((example, k) => drawn(example, keyOf('evaluation', i, k))) }))
    : items

/**
 * Of the columns that a task may have, the first that the rows have, with the label if possible; null where rows are put otherwise, as
 * token ids or questions are.
 */
export function taskColumns({ columns }: TaskFile, rows: readonly Row[]): Columns | null {
  const has = (...names: (string | null)[]): boolean => names.every((name) => name === null || rows[0]?.values.has(name))
  const known = columns === null ? [] : [columns].flat()
  return known.find(({ text, pair, label }) => has(text, pair, label)) ?? known.find(({ text, pair }) => has(text, pair)) ?? null
}

/** The class names that a model folder brings with a trained head; null where it has no head of its own. */
export function modelLabels(subject: Subject): LabelNames | null {
  const { model } = subject
  const head = headModules(subject)
  // A head without weights of its own is there with the model.
  if (head.length === 0) return []
  const ownHead = [...model.tensors.keys()].some((name) => isHead({ head }, name))
  const names = model.config.id2label
  if (!ownHead) return null
  if (typeof names !== 'object' || names === null) return ['LABEL_0', 'LABEL_1']
  return Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name))
}
