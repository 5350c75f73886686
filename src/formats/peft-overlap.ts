import type { AllocationMemory } from '../methods/allocator.ts'
import { resolveTargets } from '../methods/targets.ts'
import { parameterName } from '../nn/method.ts'
import { modelSite } from '../nn/site.ts'
import { leadingPart } from '../nn/tensor.ts'
import type { Adapter, Subject } from './adapter.ts'
import { methodOf } from './adapter.ts'
import { mergeState } from './merged-weights.ts'
import type { PeftOptions } from './peft-config.ts'

/**
 * PEFT does not adapt a module that it saves whole. Where training did both, the adapter is folded into the saved weights and
 * the module is excluded; what the adapter computes stays the same.
 */
export function withoutOverlap(adapter: Adapter, subject: Subject): Adapter {
  const { model, outline } = subject
  const options = adapter.options as PeftOptions
  const method = methodOf(adapter, subject)
  const targets = resolveTargets(options, outline.sites, model.wiring.layers)
  const isTrained = (tensor: string): boolean => adapter.state.has(tensor) && !method.trains(outline.base.get(tensor)!)
  const both = outline.sites.filter(
    (site) => site.kind === 'linear' && targets.has(site.name) && ['weight', 'bias'].some((end) => isTrained(`${site.name}.${end}`)),
  )
  if (both.length === 0) return adapter
  const names = both.map(({ name }) => name)
  const memory = adapter.memory as AllocationMemory | null
  const kept = memory?.kept && Object.fromEntries(Object.entries(memory.kept).filter(([name]) => !names.includes(name)))
  const left = {
    ...adapter,
    options: { ...options, exclude: [...options.exclude, ...names] },
    memory: memory && { ...memory, kept },
  }
  // What the modules share is no larger than the largest of those that are left.
  const shared = Object.entries(methodOf(left, subject).parameters(modelSite)).map(([role, { shape }]) => {
    const name = parameterName(modelSite, role)
    return [name, leadingPart(adapter.state.get(name)!, shape)] as const
  })
  return { ...left, state: new Map([...mergeState(model, method, adapter.state, both), ...shared]) }
}
