import type { Reading } from '../data/reading.ts'
import { UserError } from '../errors.ts'
import { type Adapter, type Card, describeAdapter, loadAdapter, type Warn } from '../formats/index.ts'
import { taskNames } from '../heads/index.ts'
import { untouched } from '../methods/in-place.ts'
import type { Model } from '../models/open.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'
import { tasks } from '../tasks/index.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { plainTask, type TaskFile, wordLabels } from '../tasks/task-file.ts'
import { inOrder, trainedLabels } from './class-order.ts'
import { modelLabels } from './dataset.ts'
import { methodFor } from './method-for.ts'
import { type OpenTask, openTask } from './open-task.ts'

/** A model with an adapter, or alone, as it answers. */
export interface Adapted {
  readonly open: OpenTask
  readonly adapter: Adapter | null
  readonly method: Method
  readonly state: ReadonlyMap<string, Tensor>
  /** How rows were read in training, as the folder of the adapter or of a whole model tells; absent where it does not. */
  readonly reading?: Reading | undefined
}

export interface AdaptedOptions {
  /** A saved adapter; null for the model as it is. */
  readonly adapter: string | null
  /** Its kind, name, file or description; needed where neither an adapter nor the model tells. */
  readonly task: string | TaskFile | null
  /** Class names, in place of those that the adapter or model brings. */
  readonly labels: readonly string[] | null
}

/** The task that the user gives, else what a folder tells of its own. */
function needTask(given: AdaptedOptions['task'], card: Card, where: string): TaskFile {
  if (given !== null && given !== card.task) return describeTask(given)
  if (card.task) return { ...plainTask(card.task), ...card.prompt }
  throw new UserError(`${where} does not tell its task; give --task, one of ${taskNames.join(', ')}.`)
}

const numbered = (outputs: number): string[] => Array.from({ length: outputs }, (_, i) => String(i))

/** Puts an adapter on a model, or takes the model with the head it has; for `warn` see `loadAdapter`. */
export function openAdapted(model: Model, { adapter, task: given, labels }: AdaptedOptions, warn: Warn = () => {}): Adapted {
  if (adapter === null) {
    const card = describeAdapter(model.folder)
    const description = needTask(given, card, model.folder)
    const { head, classes } = tasks[description.kind]
    const own = modelLabels({ model, head, labels: 1 })
    if (own === null)
      throw new UserError(`${model.folder} has no head for ${description.kind}: give --adapter, or a model that was trained for it.`)
    const named = inOrder(labels ?? wordLabels(description) ?? description.labels ?? own, own, model.folder)
    const open = openTask(model, description, classes ? named : [])
    return { open, adapter: null, method: untouched, state: new Map(), reading: card.reading }
  }
  const card = describeAdapter(adapter)
  const description = needTask(given, card, adapter)
  const { head, classes } = tasks[description.kind]
  const own = modelLabels({ model, head, labels: 1 })
  const names = labels ?? card.labels ?? wordLabels(description) ?? (card.outputs === null ? own : numbered(card.outputs))
  if (names === null) throw new UserError(`${adapter} holds no head, and ${model.folder} has none either.`)
  const open = openTask(model, description, classes ? inOrder(names, trainedLabels(card.labels, own), adapter) : [])
  const subject = { model, outline: open.outline }
  const loaded = loadAdapter(adapter, subject, warn)
  for (const name of open.outline.base.keys()) {
    if (isHead(open.outline, name) && !loaded.state.has(name) && model.find(name) === null) {
      throw new UserError(`${adapter} holds no "${name}", and ${model.folder} has none either: the head was not saved with the adapter.`)
    }
  }
  const method = methodFor(open.subject, open.outline, loaded.options, null, loaded.memory)
  return { open, adapter: loaded, method, state: loaded.state, reading: card.reading }
}
