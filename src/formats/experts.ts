import { statSync } from 'node:fs'
import { UserError } from '../errors.ts'
import { groupOf, type Method, parameterName, type Tensor } from '../nn/method.ts'
import type { TensorEntry } from '../weights/tensor-entry.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import type { Subject } from './adapter.ts'
import { entriesOf, readStored, type Stored } from './stored-tensors.ts'

/** The file's name of an expert's part of a stacked parameter: `<site>.<group>.<k>.weight`. */
function expertName(parameter: string, expert: number): string {
  const end = parameter.lastIndexOf('.')
  return `${parameter.slice(0, end)}.${expert}${parameter.slice(end)}`
}

/** Whether a path leads to a file, as a mixture is kept in, and not to an adapter's folder. */
export function isExpertsFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/**
 * Writes a mixture's state as one safetensors file: a tensor for each expert of each role, `<site>.<group>.<k>.weight|bias`
 * with k = 0 alone for roles that are shared, and tensors of the base model and head under their own names.
 */
export function saveExperts(file: string, state: ReadonlyMap<string, Tensor>, { outline }: Subject): void {
  const tensors = [...state].flatMap(([name, { shape, data }]): [string, Tensor][] => {
    // A stack may bear the name of a tensor of the base model, as BitFit's biases do.
    if (outline.base.get(name)?.shape.length === shape.length) return [[name, { shape, data }]]
    const [experts, ...rest] = shape as [number, ...number[]]
    const size = data.length / experts
    return Array.from({ length: experts }, (_, k) => [expertName(name, k), { shape: rest, data: data.slice(k * size, (k + 1) * size) }])
  })
  writeSafetensors(file, tensors)
}

function countExperts(entries: ReadonlyMap<string, TensorEntry>, parameter: string): number {
  let count = 0
  while (entries.has(expertName(parameter, count))) count++
  return count
}

/**
 * Reads a mixture's state, stacked. `expected` has the names and shapes that the mixture's state has on this model.
 * @throws UserError where the number of experts is another, or a tensor is missing, of another shape or not expected
 */
export function loadExperts(file: string, expected: ReadonlyMap<string, { readonly shape: readonly number[] }>): Map<string, Tensor> {
  const entries = entriesOf(file)
  const stored: Stored[] = []
  const stacks = new Map<string, number>()
  for (const [name, { shape }] of expected) {
    const found = countExperts(entries, name)
    const [experts, ...rest] = shape as [number, ...number[]]
    if (found === 0) {
      stored.push({ name, as: [name], shape })
      continue
    }
    if (found !== experts) {
      const role = groupOf(name.split('.').slice(-2).join('.'))
      const hint = `set "experts" and "share" as they were for the mixture in the file`
      throw new UserError(`${file} holds ${found} expert(s) for the role "${role}", but the options make ${experts}; ${hint}.`)
    }
    stacks.set(name, experts)
    for (let k = 0; k < experts; k++) stored.push({ name: expertName(name, k), as: [expertName(name, k)], shape: rest })
  }
  const flat = readStored(file, stored, null)
  const state = new Map<string, Tensor>()
  for (const [name, { shape }] of expected) {
    const experts = stacks.get(name)
    if (experts === undefined) state.set(name, flat.get(name)!)
    else {
      const parts = Array.from({ length: experts }, (_, k) => flat.get(expertName(name, k))!.data)
      const data = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
      for (const [k, part] of parts.entries()) data.set(part, k * part.length)
      state.set(name, { shape, data })
    }
  }
  return state
}

/**
 * Reads the state of `method`, a mixture, for use: its parameters and what else the file has of the model and head.
 * @throws UserError as `loadExperts` does
 */
export function readExperts(file: string, method: Method, { outline }: Subject): Map<string, Tensor> {
  const entries = entriesOf(file)
  const base = [...outline.base.values()].filter(({ name }) => entries.has(name))
  const own = outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]) => ({ name: parameterName(site, role), shape })),
  )
  return loadExperts(file, new Map([...base, ...own].map((tensor) => [tensor.name, tensor])))
}
