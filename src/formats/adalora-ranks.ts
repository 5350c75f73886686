import { UserError } from '../errors.ts'
import type { AdaLoraOptions } from '../methods/adalora.ts'
import type { AdaLoraMemory } from '../methods/adalora-allocator.ts'
import { resolveTargets } from '../methods/targets.ts'
import type { Tensor } from '../nn/method.ts'
import type { Subject } from './adapter.ts'

/** Some rows of a matrix, or columns with `axis` 1. */
function taken({ shape, data }: Tensor, axis: 0 | 1, indices: readonly number[]): Tensor {
  const [rows, columns] = shape as readonly [number, number]
  const size = axis === 0 ? [indices.length, columns] : [rows, indices.length]
  const [, width] = size as [number, number]
  const at = (i: number, j: number): number => (axis === 0 ? indices[i]! * columns + j : i * columns + indices[j]!)
  const values = Float32Array.from({ length: size[0]! * width }, (_, i) => data[at(Math.floor(i / width), i % width)]!)
  return { shape: size, data: values }
}

/** The state with only the kept singular values of each module, as the memory names them; where it names none, all. */
export function keptAlone(
  state: ReadonlyMap<string, Tensor>,
  memory: AdaLoraMemory | null,
): { state: ReadonlyMap<string, Tensor>; memory: AdaLoraMemory | null } {
  if (!memory?.kept || memory.shrunk) return { state, memory }
  const sliced = new Map(state)
  for (const [module, keep] of Object.entries(memory.kept)) {
    const indices = keep.flatMap((stays, k) => (stays ? [k] : []))
    for (const [role, axis] of [
      ['A.weight', 0],
      ['E.weight', 0],
      ['B.weight', 1],
    ] as const) {
      const name = `${module}.${role}`
      const tensor = state.get(name)
      sliced.delete(name)
      if (tensor && indices.length > 0) sliced.set(name, taken(tensor, axis, indices))
    }
  }
  return { state: sliced, memory: { ...memory, shrunk: true } }
}

/** Checks that the memory has a list of the right length for every module and no other. Throws UserError. */
export function checkRanks(options: AdaLoraOptions, memory: AdaLoraMemory | null, { model, outline }: Subject, file: string): void {
  if (!memory?.kept) return
  const modules = resolveTargets(options, outline.sites, model.wiring.layers)
  const wrong = (what: string): UserError => new UserError(`${file}: "rank_pattern" ${what}; save the adapter again with PEFT.`)
  for (const name of modules) {
    const keep = memory.kept[name]
    if (!keep) throw wrong(`lacks the module "${name}"`)
    if (keep.length !== options.initR) throw wrong(`gives "${name}" ${keep.length} entries, but "init_r" is ${options.initR}`)
  }
  const stray = Object.keys(memory.kept).find((name) => !modules.has(name))
  if (stray !== undefined) throw wrong(`names "${stray}", which is no target`)
}
