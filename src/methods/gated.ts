import { UserError } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import { addAll, cast, greater, mul } from '../graph/ops/elementwise.ts'
import { concat, expand, gather, rearrange, reshape, slice, split } from '../graph/ops/movement.ts'
import { reduceMean } from '../graph/ops/reduction.ts'
import type { FedControl, Method, ParameterSpec, Roles } from '../nn/method.ts'
import type { AnyCall, CallContext, Site } from '../nn/site.ts'
import type { Stream } from '../nn/stream.ts'
import type { Routing } from '../routing/route.ts'
import { type Acting, joinShared, sharedOf } from './acting.ts'
import { type Blend, branchBlend, embeddingBlend, keyValueBlend, linearBlend, normBlend } from './blend.ts'
import { type Draws, type MixedParameters, ROUTER } from './mixed-parameters.ts'

/** Where gates come from. */
interface Source extends Pick<Acting, 'parameters' | 'controls' | 'feed'> {
  /** `[n, experts]` for what the site reads, `[n, ...]`; null where all experts are the same. */
  gates(site: Site, roles: Roles, input: Value, call: AnyCall): Value | null
  /** Whether the gates of a row make 1 together, so that the plain result has no part. */
  readonly whole: boolean
}

/** Whether a value has a row for each row of the batch, not for each token. */
const isByRow = ({ shape }: Value, { rowStart }: Stream): boolean => shape[0] === rowStart.shape[0]

const ROWS = 'mixture.rows'

/** An expert for all tokens of a row, as the host draws it. */
function drawnRows(
  sites: readonly Site[],
  { experts, mixed }: MixedParameters,
  { draws, placeOf }: Draws,
  passes: number,
  { draw }: Extract<Routing, { per: 'row' }>,
): Source {
  return {
    whole: true,
    parameters: () => ({}),
    controls: draws.length > 0 ? [{ name: ROWS, dtype: 'float32', shape: [draws.length, 'rows', experts] }] : [],
    feed(moment): Record<string, FedControl> {
      if (draws.length === 0) return {}
      const { rows } = moment
      const data = new Float32Array(draws.length * rows * experts)
      for (const [i, one] of draws.entries()) {
        for (let at = 0; at < rows; at++) {
          const [pass, row] = [Math.floor((at * passes) / rows), at % (rows / passes)]
          data[(i * rows + at) * experts + draw(one, { ...moment, pass, row })] = 1
        }
      }
      return { [ROWS]: { data, shape: [draws.length, rows, experts] } }
    },
    gates(site, _roles, input, { controls, context: { stream } }) {
      // A site without experts of its own reads what the model's site made of some.
      const from = [site, ...sites.filter(({ kind }) => kind === 'model')].find((one) => mixed(one).length > 0)
      if (!from) return null
      const at = placeOf(from, mixed(from)[0]!)
      const byRow = reshape(slice(controls[ROWS]!, 0, at, at + 1, 1), ['rows', experts])
      if (isByRow(input, stream)) return byRow
      const slots = expand(reshape(byRow, ['rows', 1, experts]), [...stream.slotMask.shape, experts])
      return rearrange(slots, stream.repack)
    },
  }
}

const gatedKinds: readonly Site['kind'][] = ['linear', 'branch', 'norm']

/** Gates for each token, as the graph makes them of what the site reads; each pass of a batch is balanced by itself. */
function madeInGraph(
  inner: Method,
  sites: readonly Site[],
  { mixed }: MixedParameters,
  passes: number,
  routing: Extract<Routing, { per: 'token' }>,
): Source {
  const other = sites.find((site) => mixed(site).length > 0 && !gatedKinds.includes(site.kind))
  if (other) {
    throw new UserError(
      `routing: experts for each token need results for each token, and ${inner.name} changes whole rows; ` +
        'take routing: { name: uniform, per: example }, or mix another method.',
    )
  }
  const weightsAt = (site: Site): [string, ParameterSpec][] => {
    const width = site.kind === 'linear' ? site.in : site.kind === 'branch' ? site.hidden : site.kind === 'norm' ? site.size : 0
    return mixed(site).length > 0 ? Object.entries(routing.parameters(width)) : []
  }
  const roleOf = (name: string): string => `${ROUTER}.${name}`
  const idsAt = (input: Value, { stream }: CallContext): Value =>
    isByRow(input, stream) ? gather(stream.ids, stream.rowStart) : stream.ids
  return {
    whole: false,
    parameters: (site) => Object.fromEntries(weightsAt(site).map(([name, spec]) => [roleOf(name), spec])),
    controls: [],
    feed: () => ({}),
    gates(site, roles, input, { context }) {
      if (mixed(site).length === 0) return null
      const weights = Object.fromEntries(weightsAt(site).map(([name]) => [name, roles[roleOf(name)]!]))
      const noise = context.training ? (kind: 'normal' | 'uniform', like: Value) => context.noise(kind, like.shape) : null
      const parts = context.training ? passes : 1
      const made = split(input, 0, parts).map((part, i) =>
        routing.gates({ input: part, ids: () => split(idsAt(input, context), 0, parts)[i]!, weights, noise }),
      )
      const losses = made.flatMap(({ loss }) => loss ?? [])
      if (losses.length > 0) context.addLoss(mul(addAll(losses), 1 / parts))
      const gates = made.map((each) => each.gates)
      return concat(gates, 0)
    },
  }
}

/** Updates between two events of how much the experts are used. */
const EVERY = 10

export interface GatedOptions {
  readonly passes: number
  readonly routing: Exclude<Routing, { per: 'pass' }>
}

/** Experts for each token or row: all of them are computed, and their results weighted by gates. */
export function gated(
  inner: Method,
  sites: readonly Site[],
  parameters: MixedParameters,
  draws: Draws,
  { passes, routing }: GatedOptions,
): Acting {
  const { views } = parameters
  const source =
    routing.per === 'row' ? drawnRows(sites, parameters, draws, passes, routing) : madeInGraph(inner, sites, parameters, passes, routing)

  function blended<S extends Site, C extends AnyCall, R>(
    around: ((site: S, roles: Roles, call: C) => R) | undefined,
    { input, plain, sum }: Blend<C, R>,
  ): ((site: S, roles: Roles, call: C) => R) | undefined {
    if (!around) return undefined
    return (site, roles, call) => {
      const each = views(roles)
      const act = (k: number): R => around.call(inner, site, each[k]!, { ...call, shared: sharedOf(call.shared, k) })
      const read = input(call)
      const gates = source.gates(site, roles, read, call)
      if (!gates) return act(0)
      if (typeof read.shape[0] === 'number') {
        throw new UserError(
          `routing: "${site.name}" reads the model's relative positions, too, which no row or token has for itself; ` +
            'take routing: { name: uniform }, or targets that do not make queries and keys.',
        )
      }
      call.context.report('load', reduceMean(cast(greater(gates, 0), gates.dtype), { axes: [0] }))
      return sum(
        each.map((_, k) => act(k)),
        gates,
        source.whole ? null : plain(call),
      )
    }
  }

  const linear = blended(inner.linear, linearBlend)
  const branch = blended(inner.branch, branchBlend)
  const keyValue = blended(inner.keyValue, keyValueBlend)
  const embedding = blended(inner.embedding, embeddingBlend)
  const norm = blended(inner.norm, normBlend)
  return {
    ...{ parameters: source.parameters, controls: source.controls, feed: source.feed },
    ...(linear && { linear }),
    ...(branch && { branch }),
    ...(keyValue && { keyValue }),
    ...(embedding && { embedding }),
    ...(norm && { norm }),
    ...(inner.model && { model: (site, roles, call) => joinShared(views(roles).map((own) => inner.model!(site, own, call))) }),
    events(step, signals) {
      if ((step + 1) % EVERY !== 0) return []
      const loads = [...signals.values()].flatMap(({ load }) => (load ? [load] : []))
      const utilisation = Array.from(loads[0] ?? [], (_, k) => loads.reduce((sum, load) => sum + load[k]!, 0) / loads.length)
      return [{ event: 'routes', utilisation }]
    },
  }
}
