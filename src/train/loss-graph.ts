import { type Looking, looking, type Subject } from '../evaluate/assembly.ts'
import { trainedIn } from '../evaluate/state.ts'
import { type Graph, input, type Value } from '../graph/graph.ts'
import { add, addAll, mul } from '../graph/ops/elementwise.ts'
import { successively } from '../graph/rewritten.ts'
import type { Objective } from '../heads/head.ts'
import { joinedProducts } from '../lowering/joined-products.ts'
import { lanesTogether } from '../lowering/lanes-together.ts'
import type { Stretch } from '../nn/layer-segments.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { Report, Trained } from '../nn/network.ts'

export interface LossGraphOptions {
  readonly method: Method
  readonly objective: Objective
  /** Micro-batches of one update. */
  readonly accumulate: number
  readonly modelDropout: number | null
}

/** What training computes of a micro-batch or chunk, still to be differentiated. */
export interface LossGraph {
  readonly graph: Graph
  /** Without the method's penalty on parameters. */
  readonly loss: Value
  /** Terms of the loss by name; null where there is none. */
  readonly told: Readonly<Record<string, Value | null>>
  readonly trained: readonly Trained[]
  readonly controls: Looking['controls']
  readonly reports: readonly Report[]
  /** Where its layers lie among the nodes, and where what is to be computed together with its backward pass. */
  readonly layers: readonly Stretch[]
  readonly parts: readonly Stretch[]
  /** Whether nothing is made of a micro-batch as a whole. */
  readonly divisible: boolean
  readonly masks: Looking['masks']
}

function lossOf(subject: Subject, { network, seen, logitsOf, terms: added }: Looking, { objective, accumulate }: LossGraphOptions) {
  const { graph } = network
  const { head } = subject
  const parted = (objective.parts ?? 1) > 1 ? head.lossInParts?.(seen, logitsOf, objective) : undefined
  const { task, consistency } = parted ?? head.loss(network, logitsOf(seen), objective)
  const balance = added.length > 0 ? mul(addAll(added), 1 / accumulate) : null
  const terms = [
    task,
    ...(consistency ? [mul(consistency, input(graph, 'consistencyWeight', graph.float, []))] : []),
    ...(balance ? [balance] : []),
  ]
  return { loss: terms.reduce(add), told: { taskLoss: task, consistency, balance }, parts: parted?.stretches ?? [] }
}

const mapped = <From, To>(record: Readonly<Record<string, From>>, to: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]))

/** The model with its head and the loss, in the form in which it is differentiated. `trainedBase` has what is trained of the base model. */
export function buildLossGraph(subject: Subject, trainedBase: ReadonlyMap<string, Tensor>, options: LossGraphOptions): LossGraph {
  const { method, modelDropout } = options
  const assembly = looking(subject, { method, training: true, modelDropout, trains: trainedIn(trainedBase) })
  const { loss, told, parts } = lossOf(subject, assembly, options)
  const { terms, reports, masks } = assembly
  const { graph, carry, places } = successively(assembly.network.graph, [lanesTogether, joinedProducts])
  const carried = <Entry extends { readonly value: Value }>(entry: Entry): Entry => ({ ...entry, value: carry(entry.value) })
  const placed = ({ start, end }: Stretch): Stretch => ({ start: places[start]!, end: places[end]! })
  return {
    graph,
    loss: carry(loss),
    told: mapped(told, (value) => value && carry(value)),
    // All parameters are known only now: the pooler's and the head's are with the logits.
    trained: [...assembly.trained.values()].map(carried),
    controls: mapped(assembly.controls, carry),
    reports: reports.map(carried),
    layers: assembly.layers().map(placed),
    parts: parts.map(placed),
    divisible: terms.length === 0 && reports.length === 0,
    masks,
  }
}
