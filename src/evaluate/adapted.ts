import { UserError } from '../errors.ts'
import { type Adapter, describeAdapter, loadAdapter, type Warn } from '../formats/index.ts'
import { type TaskName, taskNames } from '../heads/index.ts'
import { inPlace } from '../methods/in-place.ts'
import type { Model } from '../models/open.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { tasks } from '../tasks/index.ts'
import { isHead } from './assembly.ts'
import { modelLabels } from './dataset.ts'
import { type OpenTask, openTask } from './open-task.ts'
import { methodFor } from './weight-counts.ts'

/** A model with an adapter, or alone, as it answers. */
export interface Adapted {
  readonly open: OpenTask
  readonly adapter: Adapter | null
  readonly method: Method
  readonly state: ReadonlyMap<string, Tensor>
}

export interface AdaptedOptions {
  /** A saved adapter; null for the model as it is. */
  readonly adapter: string | null
  /** Needed where neither an adapter nor the model tells. */
  readonly task: TaskName | null
  /** Class names, in place of those that the adapter or model brings. */
  readonly labels: readonly string[] | null
}

function needTask(task: TaskName | null, where: string): TaskName {
  if (task) return task
  throw new UserError(`${where} does not tell its task; give --task, one of ${taskNames.join(', ')}.`)
}

const numbered = (outputs: number): string[] => Array.from({ length: outputs }, (_, i) => String(i))

/** Puts an adapter on a model, or takes the model with the head it has; for `warn` see `loadAdapter`. */
export function openAdapted(model: Model, { adapter, task: given, labels }: AdaptedOptions, warn: Warn = () => {}): Adapted {
  if (adapter === null) {
    const task = given ?? needTask(describeAdapter(model.folder).task, model.folder)
    const probe = { model, head: tasks[task].head, labels: 1 }
    const own = modelLabels(probe)
    if (own === null) throw new UserError(`${model.folder} has no head for ${task}: give --adapter, or a model that was trained for it.`)
    const open = openTask(model, task, tasks[task].classes ? (labels ?? own) : [])
    return { open, adapter: null, method: inPlace('none', () => false), state: new Map() }
  }
  const card = describeAdapter(adapter)
  const task = given ?? needTask(card.task, adapter)
  const names =
    labels ?? card.labels ?? (card.outputs === null ? modelLabels({ model, head: tasks[task].head, labels: 1 }) : numbered(card.outputs))
  if (names === null) throw new UserError(`${adapter} holds no head, and ${model.folder} has none either.`)
  const open = openTask(model, task, tasks[task].classes ? names : [])
  const subject = { model, outline: open.outline }
  const loaded = loadAdapter(adapter, subject, warn)
  for (const name of open.outline.base.keys()) {
    if (isHead(open.subject, name) && !loaded.state.has(name) && model.find(name) === null) {
      throw new UserError(`${adapter} holds no "${name}", and ${model.folder} has none either: the head was not saved with the adapter.`)
    }
  }
  const method = methodFor(open.subject, open.outline, loaded.options, null, loaded.memory)
  return { open, adapter: loaded, method, state: loaded.state }
}
