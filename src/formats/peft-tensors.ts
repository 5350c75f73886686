import type { AllocationMemory } from '../methods/allocator.ts'
import type { Method } from '../nn/method.ts'
import { groupOf, parameterName } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'
import type { Site } from '../nn/site.ts'
import type { Subject } from './adapter.ts'
import type { PeftName } from './peft-config.ts'
import { savedTensors } from './peft-head.ts'
import type { Stored } from './stored-tensors.ts'

/** PEFT's names of a tensor: under the model with its head, or under the encoder alone. */
function names({ model }: Subject, hf: string): [string, ...string[]] {
  const prefix = `${model.wiring.prefix}.`
  const full = `base_model.model.${hf}`
  return hf.startsWith(prefix) ? [full, `base_model.model.${hf.slice(prefix.length)}`] : [full]
}

/** The shapes of the factors at a site; those of a module that AdaLoRA has left no rank have no elements. */
function factors(site: Site, method: Method, kept: AllocationMemory['kept']): [role: string, shape: readonly number[]][] {
  const specs = Object.entries(method.parameters(site))
  if (specs.length > 0 || site.kind !== 'linear' || !kept || !Object.hasOwn(kept, site.name))
    return specs.map(([role, { shape }]) => [role, shape])
  const { in: width, out } = site
  return [
    ['A.weight', [0, width]],
    ['E.weight', [0, 1]],
    ['B.weight', [out, 0]],
  ]
}

/** The ends of PEFT's names by method, for groups of roles. */
const ends: Readonly<Record<PeftName, (group: string) => string>> = {
  lora: (group) => (group === 'magnitude' ? '.lora_magnitude_vector' : `.lora_${group}.weight`),
  adalora: (group) => `.lora_${group}`,
  vera: (group) => (['A', 'B'].includes(group) ? `.vera_${group}` : `.vera_lambda_${group}`),
  ia3: (group) => `.ia3_${group}`,
}

/** Where PEFT keeps every tensor: the method's, trained biases, and the modules that are saved whole. */
export function peftTensors(subject: Subject, method: Method, memory: AllocationMemory | null, saved: readonly string[]): Stored[] {
  const { sites, base } = subject.outline
  const adapted = sites.flatMap((site) => factors(site, method, memory?.kept ?? null).map(([role, shape]) => ({ site, role, shape })))
  const targets = new Set(adapted.map(({ site }) => site.name))
  const whole = savedTensors(saved, subject)
  const biases = [...base.values()].filter(
    (tensor) => method.trains(tensor) && !isHead(subject.outline, tensor.name) && !whole.includes(tensor.name),
  )
  return [
    ...adapted.map(
      ({ site, role, shape }): Stored => ({
        name: parameterName(site, role),
        as: suffixed(site.kind === 'model' ? ['base_model'] : names(subject, site.name), ends[method.name as PeftName](groupOf(role))),
        shape,
      }),
    ),
    ...biases.map(({ name, shape }): Stored => {
      const module = name.slice(0, name.lastIndexOf('.'))
      const plain = names(subject, name)
      return { name, as: targets.has(module) ? [...suffixed(names(subject, module), '.base_layer.bias'), ...plain] : plain, shape }
    }),
    ...whole.map((name): Stored => ({ name, as: names(subject, name), shape: base.get(name)!.shape })),
  ]
}

const suffixed = ([first, ...rest]: [string, ...string[]], end: string): [string, ...string[]] => [
  first + end,
  ...rest.map((name) => name + end),
]
