import { loadTokenizer, type Tokenizer } from '../data/tokenizer.ts'
import { UserError } from '../errors.ts'
import type { TaskName } from '../heads/index.ts'
import { type Base, roundings } from '../lowering/bases.ts'
import { inFormsOf } from '../lowering/device-forms.ts'
import { roundedProducts } from '../lowering/frozen-products.ts'
import { type Model, openConfig, openModel } from '../models/open.ts'
import type { DeviceChoice } from '../onnx/devices.ts'
import { openDevice } from '../runtime/open-device.ts'
import { tasks } from '../tasks/index.ts'
import type { LabelNames, Task } from '../tasks/task.ts'
import { plainTask, promptOf, type TaskFile } from '../tasks/task-file.ts'
import { cacheFolder } from '../weights/cache-folder.ts'
import { inFloat32 } from '../weights/float32-copy.ts'
import { resolveModel } from '../weights/hub.ts'
import { type Outline, outline, type Subject } from './assembly.ts'
import { withRoundedBase } from './rounded-base.ts'

/** How a model computes. */
export interface Computing {
  /** `int8` and `int4` make the products with frozen matrices in whole numbers, from weights of 8 or 4 bits; `float32` by default. */
  readonly base?: Base | undefined
  /** `auto` takes the fastest of those that are there; `cpu` by default. */
  readonly device?: DeviceChoice | undefined
}

/** Products in whole numbers are the processor's alone. */
function assertFits({ base = 'float32', device }: Computing): void {
  if (roundings[base] && (device === 'webgpu' || device === 'cuda'))
    throw new UserError(`The base ${base} has no products on the device ${device}: leave it out, or take the device cpu.`)
}

/** A model with its weights, by folder or hub id. The device is tried first. */
export async function findModel(id: string, notice: (text: string) => void = () => {}, computing: Computing = {}): Promise<Model> {
  const { base = 'float32', device: choice = 'cpu' } = computing
  assertFits(computing)
  const rounding = roundings[base]
  const device = rounding ? 'cpu' : await openDevice(choice, notice)
  const model = openModel(await resolveModel(id, process.env, notice), (checkpoint) => inFloat32(checkpoint, cacheFolder()))
  if (!rounding) return { ...model, device, lowered: (graph) => inFormsOf(device, graph) }
  const { model: rounded, kept, error } = await withRoundedBase(model, { name: base, rounding }, cacheFolder())
  const { bits } = rounding
  const exceptions = kept.length > 0 ? `; too far off in ${bits} bits and kept in float32: ${kept.join(', ')}` : ''
  notice(`Frozen weights in ${bits} bits: on random tokens the hidden states are off by ${(100 * error).toFixed(1)} %${exceptions}.`)
  return rounded
}

/** A model's configuration alone, with its tokenizer beside it; no weights are fetched. */
export async function findConfig(id: string, computing: Computing = {}): Promise<Model> {
  assertFits(computing)
  const model = openConfig(await resolveModel(id, process.env, () => {}, 'description'))
  const rounding = roundings[computing.base ?? 'float32']
  return rounding ? { ...model, lowered: (graph, lowering) => roundedProducts(graph, { rounding, copy: null }, lowering) } : model
}

/** A model with the head of a task on it. */
export interface OpenTask {
  readonly name: TaskName
  readonly description: TaskFile
  readonly task: Task
  readonly labels: LabelNames
  readonly subject: Subject
  readonly outline: Outline
}

/** The task with the metrics that its description names, and the loss. */
function withMetrics(task: Task, { metrics }: TaskFile): Task {
  if (metrics === null) return task
  const metricNames = [...new Set([...metrics, 'loss'])]
  return {
    ...task,
    primary: metrics[0]!,
    metricNames,
    metrics(...given) {
      const all = task.metrics(...given)
      // What is no metric by itself, such as a threshold, stays.
      const rest = Object.keys(all).filter((name) => !task.metricNames.includes(name))
      return Object.fromEntries([...metricNames, ...rest].flatMap((name) => (name in all ? [[name, all[name]!]] : [])))
    },
  }
}

/** Throws UserError where two classes have one name. */
function assertApart(labels: LabelNames): void {
  const twice = labels.find((name, i) => labels.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`The classes ${labels.join(', ')} have "${twice}" twice; name each once.`)
}

/** Puts the head of a task, or of a kind, on a model; tasks without classes have no labels. */
export function openTask(model: Model, task: TaskName | TaskFile, labels: LabelNames): OpenTask {
  const description = typeof task === 'string' ? plainTask(task) : task
  const { kind: name } = description
  assertApart(labels)
  let tokenizer: Tokenizer | null = null
  const { vocabularySize } = model.wiring
  const setting = { labels, vocabularySize, prompt: promptOf(description), tokenizer: () => (tokenizer ??= loadTokenizer(model.folder)) }
  const opened = withMetrics(tasks[name].opened?.(setting) ?? tasks[name], description)
  const subject: Subject = { model, head: opened.head, labels: labels.length }
  return { name, description, task: opened, labels, subject, outline: outline(subject) }
}
