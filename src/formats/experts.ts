import { statSync } from 'node:fs'
import { UserError } from '../errors.ts'
import type { Trained } from '../methods/definition.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Experts, Method, Tensor } from '../nn/method.ts'
import { readHeader } from '../weights/safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import { addedBy, methodOf, type Subject } from './adapter.ts'
import { readStored, type Stored } from './stored-tensors.ts'
import { notedMethod, trainedNote } from './trained-note.ts'

/** The file of a run that keeps its experts. */
export const EXPERTS_FILE = 'experts.safetensors'

/** A mixture as it was trained, its roles as stacks of experts: `[experts, ...]`, or `[1, ...]` for those that are shared. */
export interface Mixture extends Trained<MethodOptions> {
  readonly state: ReadonlyMap<string, Tensor>
}

/** Whether a path leads to a file, as a mixture is kept in, and not to an adapter's folder. */
export function isExpertsFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** The file's name of an expert's part of a stacked parameter: `<site>.<group>.<k>.weight`. */
function expertName(parameter: string, expert: number): string {
  const end = parameter.lastIndexOf('.')
  return `${parameter.slice(0, end)}.${expert}${parameter.slice(end)}`
}

/** The names of the stacks' parts, by that of the stack, and their shape. */
function stacksOf(method: Method, subject: Subject): Map<string, { parts: readonly string[]; shape: readonly number[] }> {
  const partsOf = (name: string, experts: number): string[] => Array.from({ length: experts }, (_, k) => expertName(name, k))
  return new Map(addedBy(method, subject).map(({ name, shape: [experts, ...shape] }) => [name, { parts: partsOf(name, experts!), shape }]))
}

/**
 * Writes a mixture as one safetensors file: a tensor for each expert of each role, `<site>.<group>.<k>.weight|bias` with k = 0 alone
 * for roles that are shared, tensors of the base model and head under their own names, and in the metadata the method's options and
 * what it remembers.
 */
export function saveExperts(file: string, { state, ...trained }: Mixture, subject: Subject): void {
  const stacks = stacksOf(methodOf(trained, subject), subject)
  const tensors = [...state].flatMap(([name, { shape, data }]): [string, Tensor][] => {
    const stack = stacks.get(name)
    if (!stack) return [[name, { shape, data }]]
    const size = data.length / stack.parts.length
    return stack.parts.map((part, k) => [part, { shape: stack.shape, data: data.slice(k * size, (k + 1) * size) }])
  })
  writeSafetensors(file, tensors, trainedNote(trained))
}

/**
 * Reads a mixture for this model; `unnamed` is what a file holds that does not say it, as those from elsewhere.
 * @throws UserError where that is no mixture whose experts are merged, or a tensor is missing, of another shape or not expected
 */
export function loadExperts(
  file: string,
  subject: Subject,
  unnamed: Trained<MethodOptions> | null = null,
): Mixture & { readonly experts: Experts } {
  const { tensors, metadata } = readHeader(file)
  const trained = notedMethod(file, metadata) ?? unnamed
  if (!trained) throw new UserError(`${file} does not say what mixture it holds; give the ${EXPERTS_FILE} of an adamix run.`)
  const method = methodOf(trained, subject)
  const { experts } = method
  if (!experts) throw new UserError(`${file} holds experts that are merged, but the method is ${method.name}; give one that merges them.`)
  const stacks = stacksOf(method, subject)
  const base = [...subject.outline.base.values()].filter(({ name }) => tensors.has(name) && !stacks.has(name))
  const whole = base.map(({ name, shape }): Stored => ({ name, as: [name], shape }))
  const parts = [...stacks.values()].flatMap((stack) => stack.parts.map((name): Stored => ({ name, as: [name], shape: stack.shape })))
  const flat = readStored(file, [...whole, ...parts], null)
  const state = new Map(base.map(({ name }) => [name, flat.get(name)!]))
  for (const [name, { parts: names, shape }] of stacks) {
    const each = names.map((part) => flat.get(part)!.data)
    const data = new Float32Array(each.reduce((sum, part) => sum + part.length, 0))
    for (const [k, part] of each.entries()) data.set(part, k * part.length)
    state.set(name, { shape: [names.length, ...shape], data })
  }
  return { ...trained, state, experts }
}
