import type { Dim } from '../graph/dim.ts'
import type { FileRange, Graph, Value } from '../graph/graph.ts'
import { elements, external, input } from '../graph/graph.ts'
import { greater, mul, where } from '../graph/ops/elementwise.ts'
import type { Rearrangement } from '../graph/ops/movement.ts'
import { reshape, slice } from '../graph/ops/movement.ts'
import { dequantize } from '../graph/ops/quantized.ts'
import type { BaseParameter, Method, ParameterSpec, Roles } from './method.ts'
import { parameterName } from './method.ts'
import type {
  AnyCall,
  BranchCall,
  BranchSite,
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

/** A packed batch of token rows, as graph inputs; a second one has sizes of its own but for `rows`. */
export interface Stream {
  readonly ids: Value
  readonly types: Value
  readonly positions: Value
  /** `[rows]`: the index of each row's first token. */
  readonly rowStart: Value
  /** From `[tokens, ...]` to `[rows, length, ...]`; padding slots repeat token 0. */
  readonly unpack: Rearrangement
  /** From `[rows, length, ...]` back to `[tokens, ...]`. */
  readonly repack: Rearrangement
  /** `[rows, 1, 1, length]`: 0 for keys that may be attended, the most negative float elsewhere. */
  readonly keyMask: Value
  /** `[rows, length]`: 1 where a slot holds a token. */
  readonly slotMask: Value
}

/** One dropout mask of the graph: its probability and number of elements. */
export interface Mask {
  readonly p: number
  readonly size: Dim
}

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
  /** The same network on another stream of the same rows, such as `decoder`: inputs `decoder.ids`, sizes `decoderTokens`, `decoderLength`. */
  on(stream: string): Network
  /** A tensor of the base model under its HF name with the architecture's prefix. */
  parameter(name: string, shape: readonly number[], layer: number | null): Value
  dropout(x: Value, p: number): Value
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
  /** Whether a tensor of the base model is trained. */
  readonly trains: (parameter: BaseParameter) => boolean
}

/** A network under construction together with what was met on the way. */
export interface Construction {
  readonly network: Network
  readonly trained: Map<string, Trained>
  readonly base: Map<string, BaseParameter>
  readonly sites: Site[]
  readonly masks: Mask[]
  /** What the method's `feed` gives, by name. */
  readonly controls: Readonly<Record<string, Value>>
}

function declareStream(graph: Graph, name: string | null = null): Stream {
  const named = (what: string): string => (name === null ? what : `${name}.${what}`)
  const sized = (what: string): string => (name === null ? what : `${name}${what[0]!.toUpperCase()}${what.slice(1)}`)
  const [tokens, length] = [sized('tokens'), sized('length')]
  const ids = input(graph, named('ids'), 'int32', [tokens])
  const unpack = input(graph, named('unpack'), 'int32', ['rows', length])
  const repack = input(graph, named('repack'), 'int32', [tokens])
  const slotMask = input(graph, named('slotMask'), graph.float, ['rows', length])
  return {
    ids,
    types: input(graph, named('types'), 'int32', [tokens]),
    positions: input(graph, named('positions'), 'int32', [tokens]),
    rowStart: input(graph, named('rowStart'), 'int32', ['rows']),
    unpack: { index: unpack, inverse: repack, read: null },
    repack: { index: repack, inverse: unpack, read: reshape(slotMask, ['rows', length, 1]) },
    keyMask: reshape(input(graph, named('keyMask'), graph.float, ['rows', length]), ['rows', 1, 1, length]),
    slotMask,
  }
}

/** The name of the pool of keep-bytes for a dropout probability. */
export const poolName = (p: number): string => `dropout.${p}`

export function createNetwork({ graph, method, training, modelDropout = null, locate, trains }: NetworkOptions): Construction {
  const trained = new Map<string, Trained>()
  const base = new Map<string, BaseParameter>()
  const sites: Site[] = []
  const masks: Mask[] = []
  const controls = Object.fromEntries(
    (training ? (method.controls ?? []) : []).map(({ name, dtype, shape }) => [name, input(graph, name, dtype, shape)]),
  )
  const pools = new Map<number, { bytes: Value; start: Value; end: Value }>()

  /** A window of the pool for `p`; where it lies is fed. */
  const dropout = (x: Value, p: number): Value => {
    if (!training || p === 0) return x
    if (!pools.has(p)) {
      pools.set(p, {
        bytes: input(graph, poolName(p), 'uint8', [`bytes_${String(p).replace('.', '_')}`]),
        start: graph.inputs.get('dropout.start') ?? input(graph, 'dropout.start', 'int32', ['masks']),
        end: graph.inputs.get('dropout.end') ?? input(graph, 'dropout.end', 'int32', ['masks']),
      })
    }
    const { bytes, start, end } = pools.get(p)!
    const at = masks.length
    masks.push({ p, size: elements(x) })
    const bound = (ends: Value): Value => slice(ends, 0, at, at + 1, 1)
    const window = slice(bytes, 0, bound(start), bound(end), elements(x))
    return mul(x, dequantize(reshape(window, x.shape), 1 / (1 - p)))
  }

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

  function open<S extends Site, C, R>(
    site: S,
    call: C,
    around: ((site: S, roles: Roles, call: C & AnyCall) => R) | undefined,
    plain: () => R,
  ): R {
    sites.push(site)
    const roles = around ? (rolesAt(site) ?? (Object.keys(shared).length > 0 ? {} : null)) : null
    return around && roles ? around.call(method, site, roles, { ...call, dropout, controls, shared }) : plain()
  }

  let shared: Readonly<Record<string, Value>> = {}
  shared = open(modelSite, {}, method.model, () => ({}))

  // Virtual tokens have negative ids, and no row in the table.
  const lookup = (stream: Stream): Stream =>
    method.sequence?.virtualTokens ? { ...stream, ids: where(greater(stream.ids, -1), stream.ids, 0) } : stream

  const streams = new Map<string, Network>()
  const networkOn = (declared: Stream): Network => ({
    graph,
    stream: lookup(declared),
    training,
    on(name) {
      const known = streams.get(name) ?? networkOn(declareStream(graph, name))
      streams.set(name, known)
      return known
    },
    parameter(name, shape, layer) {
      const info = { name, shape, layer }
      base.set(name, info)
      if (trains(info)) return trainedValue({ name, shape, site: null, role: null, spec: null })
      return external(graph, name, shape, locate(name, shape))
    },
    dropout: (x, p) => dropout(x, modelDropout ?? p),
    linear: (site, call) => {
      const known = new Map<Value, Value>()
      const once = (x: Value, bias?: Value): Value => {
        if (bias) return call.base(x, bias)
        if (!known.has(x)) known.set(x, call.base(x))
        return known.get(x)!
      }
      return open(site, { ...call, base: once }, method.linear, () => call.base(call.input))
    },
    branch: (site, call) => open(site, call, method.branch, () => call.value),
    keyValue: (site, call) => open(site, call, method.keyValue, () => call),
    embedding: (site, call) => open(site, { ...call, ids: declared.ids }, method.embedding, () => call.value),
    norm: (site, call) => open(site, call, method.norm, () => call.base(call.input)),
  })
  return { network: networkOn(declareStream(graph)), trained, base, sites, masks, controls }
}
