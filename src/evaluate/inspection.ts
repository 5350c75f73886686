import { flopCounter } from '../graph/flops.ts'
import { output } from '../graph/graph.ts'
import { grouped } from '../grouped.ts'
import { untouched } from '../methods/in-place.ts'
import type { MethodOptions } from '../methods/index.ts'
import { deployed, learnedAt, type Method } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'
import type { Site } from '../nn/site.ts'
import { elementCount } from '../nn/tensor.ts'
import { liveNodes } from '../onnx/live.ts'
import { assemble, type Outline, type Subject, withoutWeights } from './assembly.ts'
import { withinBudget } from './budget.ts'
import { methodFor } from './method-for.ts'
import { evenSizes } from './stream-feeds.ts'
import { type Besides, weightCounts } from './weight-counts.ts'

/** Weights of one form of a model or method; shares are fractions. */
export interface Form {
  readonly weights: number
  readonly withHead: number
  /** Of the base model without head. */
  readonly shareOfBase: number
  /** Of the base model with its head. */
  readonly shareOfModel: number
  /** With the method's head, of the base model with its head. */
  readonly withHeadShareOfModel: number
  /** Operations of the matrix products of a forward pass, all passes of a mixture, for each token of the text. */
  readonly forwardFlopsPerToken: number
}

/** Modules that differ only in the number of their layer, written `*`. */
export interface ModuleGroup {
  readonly kind: Site['kind']
  readonly role: string | null
  readonly pattern: string
  readonly count: number
  /** Input and output size of a linear map. */
  readonly in: number | null
  readonly out: number | null
  /** What the method adds to all of them. */
  readonly weights: number
}

export interface MethodInspection {
  /** The options, with what a budget became. */
  readonly options: MethodOptions
  /** Tokens of the rows that operations are counted for; attention grows with it. */
  readonly length: number
  readonly base: Form
  readonly training: Form
  /** After merging experts or pruning ranks. */
  readonly merged: Form
  /** Passes of a batch in a training step. */
  readonly passes: number
  /** The merged form with the head and the constants that belong to it, in float32. */
  readonly adapterBytes: number
  /** Where the method adds weights. */
  readonly modules: readonly ModuleGroup[]
  /** Tensors of the base model that are trained where they are. */
  readonly inPlace: readonly { readonly pattern: string; readonly count: number; readonly weights: number }[]
}

export interface InspectionOptions {
  readonly length?: number
  readonly rows?: number
  /** What the method remembers, for a saved adapter. */
  readonly memory?: unknown
  readonly besides?: Besides
}

const patternOf = (name: string): string => name.replace(/\.\d+(?=\.|$)/g, '.*')

/** Values whose keys are equal, made one. */
const joined = <T, G>(values: readonly T[], key: (value: T) => string, join: (group: readonly T[]) => G): G[] =>
  [...grouped(values, key).values()].map(join)

/** Sites grouped by name pattern, with what a method adds there. */
export function moduleGroups(sites: readonly Site[], method: Pick<Method, 'parameters'>): ModuleGroup[] {
  const shapeOf = (site: Site): [number | null, number | null] => (site.kind === 'linear' ? [site.in, site.out] : [null, null])
  const added = (site: Site): number => learnedAt(method, site).reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return joined(
    sites,
    (site) => `${site.kind} ${patternOf(site.name)} ${shapeOf(site)}`,
    (group) => {
      const [site] = group as [Site, ...Site[]]
      const [inner, outer] = shapeOf(site)
      const weights = group.reduce((sum, each) => sum + added(each), 0)
      const role = 'role' in site ? site.role : null
      return { kind: site.kind, role, pattern: patternOf(site.name), count: group.length, in: inner, out: outer, weights }
    },
  )
}

/** Operations of the matrix products of a forward pass over rows of equal length, for each of their tokens. */
export function forwardFlopsPerToken(subject: Subject, method: Method, training: boolean, rows: number, length: number): number {
  const { network, logits } = assemble(withoutWeights(subject), { method, training, trains: () => false })
  output(network.graph, 'logits', logits)
  const all = rows * (training ? method.passes : 1)
  return flopCounter(liveNodes(network.graph))(evenSizes(all, length)) / (rows * length)
}

/** Operations of a forward pass for each token of the text: of the base model, in training with all passes, and at the end. */
export interface ForwardCosts {
  readonly base: number
  readonly training: number
  readonly merged: number
}

export function forwardCosts(subject: Subject, method: Method, rows: number, length: number): ForwardCosts {
  const { method: plain } = deployed(method, new Map())
  const base = forwardFlopsPerToken(subject, untouched, false, rows, length)
  const whole = forwardFlopsPerToken(subject, plain, false, rows, length)
  const training = forwardFlopsPerToken(subject, method, true, rows, length)
  // The products of a low-rank increment cost as much a rank as its weights are.
  return { base, training, merged: base + (whole - base) * (plain.remains ?? 1) }
}

/** What a method costs on a model, from shapes alone: weights, operations, bytes, and where it acts. */
export function inspectMethod(
  subject: Subject,
  outline: Outline,
  given: MethodOptions,
  settings: InspectionOptions = {},
): MethodInspection {
  const { length = 128, rows = 1, memory = null, besides } = settings
  const options = withinBudget(subject, outline, given)
  const method = methodFor(subject, outline, options, null, memory)
  const { base, head, trained, merged } = weightCounts(outline, method, besides)
  const form = (weights: number, flops: number): Form => ({
    weights,
    withHead: weights + head,
    shareOfBase: weights / base,
    shareOfModel: weights / (base + head),
    withHeadShareOfModel: (weights + head) / (base + head),
    forwardFlopsPerToken: flops,
  })
  const costs = forwardCosts(subject, method, rows, length)
  const constants = outline.sites
    .flatMap((site) => Object.values(deployed(method, new Map()).method.parameters(site)))
    .reduce((sum, { shape, frozen }) => sum + (frozen ? elementCount(shape) : 0), 0)
  const tensors = [...outline.base.values()].filter((parameter) => !isHead(outline, parameter.name) && method.trains(parameter))
  return {
    options,
    length,
    base: form(base, costs.base),
    training: form(trained, costs.training),
    merged: form(merged, costs.merged),
    passes: method.passes,
    adapterBytes: 4 * (merged + head + constants),
    modules: moduleGroups(
      outline.sites.filter((site) => learnedAt(method, site).length > 0),
      method,
    ),
    inPlace: joined(
      tensors,
      ({ name }) => patternOf(name),
      (group) => ({
        pattern: patternOf(group[0]!.name),
        count: group.length,
        weights: group.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      }),
    ),
  }
}
