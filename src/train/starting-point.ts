import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { UserError } from '../errors.ts'
import { methodFor } from '../evaluate/method-for.ts'
import type { OpenTask } from '../evaluate/open-task.ts'
import { initialState, type State } from '../evaluate/state.ts'
import { describeAdapter, isExpertsFile, loadAdapter, loadExperts, type Mixture } from '../formats/index.ts'
import type { Trained } from '../methods/definition.ts'
import { definitionOf, type MethodOptions } from '../methods/index.ts'
import { isParameter } from './average.ts'
import { isCheckpoint, isWhole, readCheckpoint } from './checkpoint.ts'
import { configOf } from './run-folder.ts'

/** What training begins with. */
export interface StartingPoint {
  readonly state: State
  readonly memory: unknown
  /** What is odd about the adapter; see `loadAdapter`. */
  readonly warnings: readonly string[]
}

/** The classes that the adapter tells which a run starts from; null without one, and for experts and checkpoints, which tell none. */
export const labelsOfStart = (file: string | null): readonly string[] | null =>
  file === null || isExpertsFile(file) || isCheckpoint(file) ? null : describeAdapter(file).labels

/** Weights keep their meaning only under the options that they were trained with. */
function assertSameForm(file: string, saved: Trained<MethodOptions>, options: MethodOptions): void {
  if (saved.options.name !== options.name) {
    throw new UserError(`adapter: ${file} holds ${saved.options.name}, but the run's method is ${options.name}.`)
  }
  const [theirs, ours] = [saved.options, options].map((one) => definitionOf(one).form?.(one) ?? {})
  for (const [key, value] of Object.entries(ours!)) {
    const [made, wanted] = [JSON.stringify(theirs![key]), JSON.stringify(value)]
    if (made !== wanted)
      throw new UserError(`adapter: ${file} was made with ${key} ${made}, but the run's method has ${wanted}; give both the same.`)
  }
}

/** Puts a saved adapter's tensors in place of fresh ones. Every parameter of the method must be there, in its shape. */
function takeOver(file: string, state: State, saved: Mixture, base: ReadonlyMap<string, unknown>): void {
  for (const [name, tensor] of saved.state) {
    const expected = state.get(name)
    if (!expected)
      throw new UserError(`adapter: ${file} holds "${name}", which the run's method does not train; give both the same targets.`)
    if (expected.shape.join() !== tensor.shape.join()) {
      throw new UserError(`adapter: "${name}" in ${file} is [${tensor.shape}], but the run's method makes it [${expected.shape}].`)
    }
    state.set(name, tensor)
  }
  const absent = [...state.keys()].find((name) => !base.has(name) && !saved.state.has(name))
  if (absent !== undefined)
    throw new UserError(`adapter: ${file} has no "${absent}", which the run's method trains; give both the same targets.`)
}

/** What a run had trained by one of its checkpoints, without what its optimiser keeps beside it. */
function fromCheckpoint(folder: string): Mixture {
  if (!isWhole(folder)) throw new UserError(`adapter: the checkpoint ${folder} is damaged; give another of its run.`)
  const { method } = configOf(join(folder, '..', '..'))
  const { state, progress } = readCheckpoint(folder)
  const { memory } = progress as { memory: unknown }
  return { options: method, memory, state: new Map([...state].filter(([name]) => isParameter(name))) }
}

/** A fresh state, or that of the adapter, mixture or checkpoint that the run names. */
export function startingPoint(
  { adapter: file, train }: RunConfig,
  open: OpenTask,
  options: MethodOptions,
  totalSteps: number,
): StartingPoint {
  const { subject, outline } = open
  const begin = (memory: unknown): State =>
    initialState(subject, outline, methodFor(subject, outline, options, totalSteps, memory), train.seed, train.trainAlso)
  if (file === null) return { state: begin(null), memory: null, warnings: [] }
  const warnings: string[] = []
  const place = { model: subject.model, outline }
  const named = (): Mixture => {
    if (isExpertsFile(file)) return loadExperts(file, place, { options, memory: null })
    if (isCheckpoint(file)) return fromCheckpoint(file)
    return loadAdapter(file, place, (message) => warnings.push(message))
  }
  const saved = named()
  assertSameForm(file, saved, options)
  const state = begin(saved.memory)
  takeOver(file, state, saved, outline.base)
  return { state, memory: saved.memory, warnings }
}
