import type { FileRange, Graph, Value } from '../graph/graph.ts'
import { external, input } from '../graph/graph.ts'
import { greater, where } from '../graph/ops/elementwise.ts'
import { layerSegments, type Stretch } from './layer-segments.ts'
import { type Mask, openMasks } from './masks.ts'
import type { Memory } from './memory.ts'
import type { BaseParameter, Method, ParameterSpec, Roles } from './method.ts'
import { parameterName } from './method.ts'
import type {
  AnyCall,
  BranchCall,
  BranchSite,
  CallContext,
  EmbeddingCall,
  EmbeddingSite,
  KeyValueCall,
  KeyValueSite,
  KeyValues,
  LinearCall,
  LinearSite,
  NormCall,
  NormSite,
  Site,
} from './site.ts'
import { modelSite } from './site.ts'
import { declareStream, type Stream } from './stream.ts'

/** A parameter that is trained: added by a method (with its spec and site) or a tensor of the base model (without). */
export interface Trained {
  readonly name: string
  readonly shape: readonly number[]
  readonly value: Value
  readonly site: Site | null
  readonly role: string | null
  readonly spec: ParameterSpec | null
}

/**
 * What a model file builds with. It wires blocks and names them; parameters are found here,
 * and the method acts at every site that is opened.
 */
export interface Network {
  readonly graph: Graph
  readonly stream: Stream
  readonly training: boolean
  /** Passes of the batch that lie one after another; what all rows of a pass share, such as a table, is there once for each. */
  readonly passes: number
  /** What attentions keep between calls; absent where each call stands alone. */
  readonly memory?: Memory
  /** The same network on another stream of the same rows, such as `decoder`: inputs `decoder.ids`, sizes `decoderTokens`, `decoderLength`. */
  on(stream: string): Network
  /** A tensor of the base model under its HF name with the architecture's prefix; see `BaseParameter` for its `start`, 0 by default. */
  parameter(name: string, shape: readonly number[], layer: number | null, start?: number): Value
  /** With the probability that the config gives; null where the model drops nothing, whatever a run says. */
  dropout(x: Value, p: number | null): Value
  linear(site: LinearSite, call: Omit<LinearCall, keyof AnyCall>): Value
  branch(site: BranchSite, call: Omit<BranchCall, keyof AnyCall>): Value
  keyValue(site: KeyValueSite, call: Omit<KeyValueCall, keyof AnyCall>): KeyValues
  /** `ids` are those of the stream: negative for virtual tokens, which `value` leaves out of account. */
  embedding(site: EmbeddingSite, call: Omit<EmbeddingCall, keyof AnyCall | 'ids'>): Value
  norm(site: NormSite, call: Omit<NormCall, keyof AnyCall>): Value
}

export interface NetworkOptions {
  readonly graph: Graph
  readonly method: Method
  readonly training: boolean
  /** Replaces the probability of the model's own dropout; null keeps what its config says. */
  readonly modelDropout?: number | null
  /** Where a frozen tensor's bytes lie; null where only shapes are of interest. Throws where the model lacks the tensor. */
  readonly locate: (name: string, shape: readonly number[]) => FileRange | null
  /** For models that write: what attentions keep between calls. */
  readonly memory?: (graph: Graph) => Memory
  /** Whether a tensor of the base model is trained. */
  readonly trains: (parameter: BaseParameter) => boolean
}

/** A network under construction together with what was met on the way. */
export interface Construction {
  readonly network: Network
  readonly trained: Map<string, Trained>
  readonly base: Map<string, BaseParameter>
  readonly sites: Site[]
  readonly masks: readonly Mask[]
  /** What the method's `feed` gives, by name. */
  readonly controls: Readonly<Record<string, Value>>
  /** Terms that calls add to the loss. */
  readonly terms: Value[]
  /** What calls report to the method's `control`. */
  readonly reports: Report[]
  /** Where its layers lie among the nodes of the graph. */
  layers(): readonly Stretch[]
}

/** A small result of a call. */
export interface Report {
  readonly site: Site
  readonly signal: string
  readonly value: Value
}

export function createNetwork({ graph, method, training, modelDropout = null, locate, trains, memory }: NetworkOptions): Construction {
  const trained = new Map<string, Trained>()
  const base = new Map<string, BaseParameter>()
  const sites: Site[] = []
  const { masks, noise, dropout } = openMasks(graph, training)
  const terms: Value[] = []
  const reports: Report[] = []
  const layers = layerSegments(graph)
  const controls = Object.fromEntries(
    (training ? (method.controls ?? []) : []).map(({ name, dtype, shape }) => [name, input(graph, name, dtype, shape)]),
  )

  const trainedValue = (entry: Omit<Trained, 'value'>): Value => {
    const known = trained.get(entry.name)
    if (known) return known.value
    const value = input(graph, entry.name, graph.float, entry.shape)
    trained.set(entry.name, { ...entry, value })
    return value
  }

  /** The site's parameters as values, or null where the method leaves the site alone. */
  const rolesAt = (site: Site): Roles | null => {
    const specs = Object.entries(method.parameters(site))
    if (specs.length === 0) return null
    return Object.fromEntries(
      specs.map(([role, spec]) => [role, trainedValue({ name: parameterName(site, role), shape: spec.shape, site, role, spec })]),
    )
  }

  const contextAt = (site: Site, stream: Stream): CallContext => ({
    training,
    stream,
    noise,
    addLoss: (term) => void (training && terms.push(term)),
    report: (signal, value) => void (training && reports.push({ site, signal, value })),
  })

  function open<S extends Site, C, R>(
    stream: Stream,
    site: S,
    call: C,
    around: ((site: S, roles: Roles, call: C & AnyCall) => R) | undefined,
    plain: () => R,
  ): R {
    // A map that is applied twice, as to tokens and to a table of positions, is one site.
    if (!sites.some(({ kind, name }) => kind === site.kind && name === site.name)) sites.push(site)
    const roles = around ? (rolesAt(site) ?? (Object.keys(shared).length > 0 ? {} : null)) : null
    if (!around || !roles) return plain()
    return around.call(method, site, roles, { ...call, dropout, controls, shared, context: contextAt(site, stream) })
  }

  const kept = memory?.(graph)
  const main = declareStream(graph)
  let shared: Readonly<Record<string, Value>> = {}
  shared = open(main, modelSite, {}, method.model, () => ({}))

  // Virtual tokens have negative ids, and no row in the table.
  const lookup = (stream: Stream): Stream =>
    method.sequence?.virtualTokens ? { ...stream, ids: where(greater(stream.ids, -1), stream.ids, 0) } : stream

  const streams = new Map<string, Network>()
  const networkOn = (declared: Stream): Network => ({
    graph,
    stream: lookup(declared),
    training,
    passes: training ? method.passes : 1,
    ...(kept && { memory: kept }),
    on(name) {
      const known = streams.get(name) ?? networkOn(declareStream(graph, name))
      streams.set(name, known)
      return known
    },
    parameter(name, shape, layer, start = 0) {
      const info = { name, shape, layer, start }
      layers.parameter(name, layer, base.has(name))
      base.set(name, info)
      if (trains(info)) return trainedValue({ name, shape, site: null, role: null, spec: null })
      return external(graph, name, shape, locate(name, shape))
    },
    dropout: (x, p) => (p === null ? x : dropout(x, modelDropout ?? p)),
    linear: (site, call) => {
      const known = new Map<Value, Value>()
      const once = (x: Value, bias?: Value): Value => {
        if (bias) return call.base(x, bias)
        if (!known.has(x)) known.set(x, call.base(x))
        return known.get(x)!
      }
      return open(declared, site, { ...call, base: once }, method.linear, () => call.base(call.input))
    },
    branch: (site, call) => {
      layers.branch(site)
      return open(declared, site, call, method.branch, () => call.value)
    },
    keyValue: (site, call) => open(declared, site, call, method.keyValue, () => call),
    embedding: (site, call) => open(declared, site, { ...call, ids: declared.ids }, method.embedding, () => call.value),
    norm: (site, call) => open(declared, site, call, method.norm, () => call.base(call.input)),
  })
  return { network: networkOn(main), trained, base, sites, masks, controls, terms, reports, layers: layers.all }
}
