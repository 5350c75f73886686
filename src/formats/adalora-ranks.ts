import { triplets } from '../allocation/components.ts'
import { UserError } from '../errors.ts'
import type { AdaLoraOptions } from '../methods/adalora.ts'
import type { AllocationMemory } from '../methods/allocator.ts'
import { resolveTargets } from '../methods/targets.ts'
import type { Tensor } from '../nn/method.ts'
import { sliceTensor } from '../nn/tensor.ts'
import type { Subject } from './adapter.ts'

/** The state with only the kept singular values of each module, as the memory names them; where it names none, all. */
export function keptAlone(
  state: ReadonlyMap<string, Tensor>,
  memory: AllocationMemory | null,
): { state: ReadonlyMap<string, Tensor>; memory: AllocationMemory | null } {
  if (!memory?.kept || memory.shrunk) return { state, memory }
  const sliced = new Map(state)
  for (const [module, keep] of Object.entries(memory.kept)) {
    const indices = keep.flatMap((stays, k) => (stays ? [k] : []))
    for (const [role, axis] of Object.entries(triplets.axes)) {
      const name = `${module}.${role}`
      const tensor = state.get(name)
      sliced.delete(name)
      if (tensor && indices.length > 0) sliced.set(name, sliceTensor(tensor, axis, indices))
    }
  }
  return { state: sliced, memory: { ...memory, shrunk: true } }
}

/** Checks that the memory has a list of the right length for every module and no other. Throws UserError. */
export function checkRanks(options: AdaLoraOptions, memory: AllocationMemory | null, { model, outline }: Subject, file: string): void {
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
