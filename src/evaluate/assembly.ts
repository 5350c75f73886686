import { UserError } from '../errors.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { createGraph } from '../graph/graph.ts'
import type { Head } from '../heads/head.ts'
import { untouched } from '../methods/in-place.ts'
import type { HeadWiring } from '../models/architecture.ts'
import { locate, type Model } from '../models/open.ts'
import type { Memory } from '../nn/memory.ts'
import type { BaseParameter, Method } from '../nn/method.ts'
import { type Construction, createNetwork } from '../nn/network.ts'
import type { Outline } from '../nn/outline.ts'

export type { Outline }

/** A model with a head on it, as a task needs it. */
export interface Subject {
  readonly model: Model
  readonly head: Head
  readonly labels: number
}

/** The head of the model for the subject's task; a model without one is an error. */
function headWiring({ model, head }: Subject): HeadWiring {
  const wiring = model.wiring.heads[head.wiring]
  if (!wiring)
    throw new UserError(`${model.modelType} has no head for ${head.wiring}; it has ${Object.keys(model.wiring.heads).join(', ')}.`)
  return wiring
}

/** The number of outputs of the subject's head. */
export const outputsOf = ({ model, head, labels }: Subject): number => head.outputs(labels, model.wiring.vocabularySize)

/** The modules of the subject's head. */
export const headModules = (subject: Subject): readonly string[] => headWiring(subject).modules

/** A model up to what its head looks at. */
export interface Looking extends Construction {
  /** `[n, hidden]` */
  readonly seen: Value
  /** Logits of rows of it. */
  readonly logitsOf: (seen: Value) => Value
}

export interface Assembly extends Construction {
  readonly logits: Value
}

export interface AssemblyOptions {
  readonly method: Method
  readonly training: boolean
  readonly modelDropout?: number | null
  readonly trains: (parameter: BaseParameter) => boolean
  /** For models that write: what attentions keep between calls. */
  readonly memory?: (graph: Graph) => Memory
}

/** A model up to its last hidden states. */
export interface Encoded extends Construction {
  readonly hidden: Value
}

/** The graph of a model without a head. */
export function encoded(model: Model, options: AssemblyOptions): Encoded {
  const construction = createNetwork({
    graph: createGraph(),
    locate: (name, shape) => locate(model, name, shape),
    ...options,
  })
  return { ...construction, hidden: model.wiring.encode(construction.network) }
}

/** The graph of the model up to what its head looks at. */
export function looking(subject: Subject, options: AssemblyOptions): Looking {
  const { model, head } = subject
  const { hidden, ...construction } = encoded(model, options)
  const network = model.wiring.decoder ? construction.network.on('decoder') : construction.network
  const seen = head.view?.(network, hidden) ?? hidden
  return { ...construction, seen, logitsOf: (part) => headWiring(subject).logits(network, part, outputsOf(subject), head.words) }
}

/** The graph of the model with its head, up to the logits. */
export function assemble(subject: Subject, options: AssemblyOptions): Assembly {
  const { seen, logitsOf, ...construction } = looking(subject, options)
  return { ...construction, logits: logitsOf(seen) }
}

/** The subject as its config alone makes it, for graphs that are never run. */
export const withoutWeights = ({ model, ...rest }: Subject): Subject => ({
  model: { ...model, tensors: new Map(), find: () => null },
  ...rest,
})

/** Walks through the model without weights. */
export function outline(subject: Subject): Outline {
  const { sites, base } = assemble(withoutWeights(subject), {
    method: untouched,
    training: false,
    trains: () => false,
  })
  return { sites, base, head: headModules(subject) }
}
