import { UserError } from '../errors.ts'
import type { Model } from '../models/open.ts'
import type { BaseParameter, Tensor } from '../nn/method.ts'
import { squaredNorm } from '../nn/tensor.ts'
import { readTensor } from '../weights/safetensors.ts'
import { factorise, type Pair } from './svd.ts'

/** What lies between the weights of two models. */
export interface Difference {
  /** The factors that stand for it, by target module. */
  readonly pairs: ReadonlyMap<string, Pair>
  /** The squared Frobenius norm of each tensor's difference that is not zero, by tensor. */
  readonly sizes: ReadonlyMap<string, number>
  /** What of it the factors keep, by the weight of each module that has some. */
  readonly kept: ReadonlyMap<string, number>
}

/** The module whose weight a tensor is. */
export const moduleOf = (name: string): string => name.slice(0, -'.weight'.length)

/** A tensor as a model has it. Throws UserError where it has none, or another shape than the other model. */
export function tensorOf(model: Model, { name, shape }: BaseParameter, other: Model): Tensor {
  const entry = model.find(name)
  if (entry?.shape.join() === shape.join()) return { shape, data: readTensor(entry) }
  const found = entry ? `has "${name}" as [${entry.shape}]` : `has no "${name}"`
  throw new UserError(`${model.folder} ${found}, and ${other.folder} as [${shape}]; give the model that it was tuned from.`)
}

/** How the tuned model differs from its base, as factors of a rank in the target modules; one tensor at a time. */
export function difference(
  base: Model,
  tuned: Model,
  parameters: readonly BaseParameter[],
  targets: ReadonlySet<string>,
  rank: number,
): Difference {
  const [pairs, sizes, kept] = [new Map<string, Pair>(), new Map<string, number>(), new Map<string, number>()]
  for (const parameter of parameters) {
    const { name, shape } = parameter
    const before = tensorOf(base, parameter, tuned).data
    const data = tensorOf(tuned, parameter, base).data.map((value, i) => value - before[i]!)
    const size = squaredNorm(data)
    if (size === 0) continue
    sizes.set(name, size)
    if (!name.endsWith('.weight') || !targets.has(moduleOf(name))) continue
    const pair = factorise({ shape, data }, rank)
    pairs.set(moduleOf(name), pair)
    kept.set(name, squaredNorm(pair.b.data))
  }
  return { pairs, sizes, kept }
}
