import { type BaseParameter, deployed, learnedAt, type Method } from '../nn/method.ts'
import { isHead, type Outline } from '../nn/outline.ts'
import { elementCount } from '../nn/tensor.ts'

/** Numbers of weights: of the base model without head, of the head, trained by the method, and left of these at the end. */
export interface WeightCounts {
  readonly base: number
  readonly head: number
  /** What is trained, the head not counted. */
  readonly trained: number
  /** What of it is left after merging experts or pruning ranks (at the target's uniform ranks). */
  readonly merged: number
}

/** Tensors of the base model that are trained whatever the method; the head's are in any case. */
export type Besides = (parameter: BaseParameter) => boolean
const nothing: Besides = () => false

interface Parts {
  readonly added: number
  readonly inPlace: number
}

/** The weights that a method adds, and those of the base model that are trained in place; the head not counted. */
function methodWeights(outline: Outline, method: Method, besides: Besides): Parts {
  const { sites, base } = outline
  const added = sites.flatMap((site) => learnedAt(method, site)).reduce((sum, { shape }) => sum + elementCount(shape), 0)
  const trained = [...base.values()].filter(
    (parameter) => !isHead(outline, parameter.name) && (method.trains(parameter) || besides(parameter)),
  )
  return { added, inPlace: trained.reduce((sum, { shape }) => sum + elementCount(shape), 0) }
}

/** Counts weights from shapes alone. */
export function weightCounts(outline: Outline, method: Method, besides: Besides = nothing): WeightCounts {
  const all = [...outline.base.values()].map(({ name, shape }) => ({ head: isHead(outline, name), count: elementCount(shape) }))
  const sum = (head: boolean): number => all.reduce((total, entry) => total + (entry.head === head ? entry.count : 0), 0)
  const { method: plain } = deployed(method, new Map())
  const [trained, left] = [method, plain].map((one) => methodWeights(outline, one, besides)) as [Parts, Parts]
  return {
    base: sum(false),
    head: sum(true),
    trained: trained.added + trained.inPlace,
    merged: Math.round(left.added * (plain.remains ?? 1)) + left.inPlace,
  }
}
