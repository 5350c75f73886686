import type { Value } from '../graph/graph.ts'
import { addAll, mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { concat, reshape, slice, split } from '../graph/ops/movement.ts'
import type { Consistency } from '../nn/consistency.ts'
import { branchLanes, embeddingLanes, keyValueLanes, type Lanes, linearLanes, normLanes } from '../nn/lanes.ts'
import type { FedControl, Method, ParameterSpec, Roles } from '../nn/method.ts'
import { deployed, groupOf, parameterName } from '../nn/method.ts'
import type { AnyCall, Site } from '../nn/site.ts'
import { elementCount } from '../nn/tensor.ts'
import { keyOf } from '../random/key.ts'
import type { Draw, Router } from '../routing/route.ts'
import { expertsOf, meanOfExperts, pickedFrom, type Stacks } from './experts.ts'

export interface MixtureOptions {
  readonly experts: number
  /** Groups of roles that have one expert for all routes. */
  readonly share: readonly string[]
  /** How two passes make one loss; null takes one pass. */
  readonly consistency: Consistency | null
  readonly lazy: boolean
  readonly router: Router
  /** Whether all groups of a site share a draw. */
  readonly coupled?: boolean
}

/** `experts` copies along a new first axis; expert 0 starts as the plain method would. */
function stacked({ shape, init, ...rest }: ParameterSpec, experts: number): ParameterSpec {
  return {
    ...rest,
    shape: [experts, ...shape],
    init(key) {
      const all = new Float32Array(experts * elementCount(shape))
      for (let k = 0; k < experts; k++) all.set(init(k === 0 ? key : keyOf('expert', key[0], key[1], k)), k * elementCount(shape))
      return all
    },
  }
}

/** The parts of a stack along its first axis. */
const partsOf = (stack: Value): Value[] => split(stack, 0, stack.shape[0] as number).map((one) => reshape(one, stack.shape.slice(1)))

/**
 * AdaMix (Wang et al. 2022) over any method: every role is a stack of experts, each pass of a batch picks one expert by a product with
 * a one-hot row, and outside of training the mean of the experts stands for all. It knows the wrapped method only by its contract;
 * what that observes and decides is pooled over the experts.
 */
export function mixture(inner: Method, sites: readonly Site[], options: MixtureOptions): Method {
  const { experts, share, consistency, lazy, router, coupled = false } = options
  const passes = consistency === null ? 1 : 2
  const specs = new Map(sites.flatMap((site) => Object.entries(inner.parameters(site))))
  const poolOf = (role: string): number => (share.includes(groupOf(role)) || specs.get(role)?.frozen ? 1 : experts)
  const rolesOf = (site: Site): string[] => Object.keys(inner.parameters(site))
  const stacks: Stacks = new Map(sites.flatMap((site) => rolesOf(site).map((role) => [parameterName(site, role), poolOf(role)] as const)))

  const drawOf = (site: Site, role: string): Draw => {
    const group = inner.coupling?.(site) ?? site.name
    const mixed = [
      ...new Set(
        rolesOf(site)
          .filter((each) => poolOf(each) > 1)
          .map(groupOf),
      ),
    ]
    return { group, role: coupled ? mixed.join('+') : groupOf(role), experts }
  }
  const keyOfDraw = ({ group, role }: Draw): string => `${group} ${role}`
  const drawn = new Map(
    sites.flatMap((site) =>
      rolesOf(site)
        .filter((role) => poolOf(role) > 1)
        .map((role) => [keyOfDraw(drawOf(site, role)), drawOf(site, role)] as const),
    ),
  )
  const draws = [...drawn.values()]
  const place = new Map([...drawn.keys()].map((key, i) => [key, i]))

  /** The parameters that pass `lane` uses at a site. */
  const picked = (site: Site, roles: Roles, lane: number, { controls }: AnyCall): Roles =>
    Object.fromEntries(
      Object.entries(roles).map(([role, stack]) => {
        const shape = stack.shape.slice(1)
        if (poolOf(role) === 1) return [role, reshape(stack, shape)]
        const at = lane * draws.length + place.get(keyOfDraw(drawOf(site, role)))!
        const choice = slice(controls['mixture.routes']!, 0, at, at + 1, 1)
        return [role, reshape(gemm(choice, reshape(stack, [experts, elementCount(shape as number[])])), shape)]
      }),
    )

  const laneName = (lane: number, name: string): string => `${lane} ${name}`
  /** What the method made at the model's site for a lane. */
  const sharedBy = (lane: number, { shared }: AnyCall): AnyCall['shared'] =>
    Object.fromEntries(
      Object.entries(shared).flatMap(([name, value]) =>
        name.startsWith(laneName(lane, '')) ? [[name.slice(laneName(lane, '').length), value]] : [],
      ),
    )

  /** Acts once for each pass, on its part of the batch. */
  function inLanes<S extends Site, C extends AnyCall, R>(
    around: ((site: S, roles: Roles, call: C) => R) | undefined,
    lanes: Lanes<C, R>,
  ): ((site: S, roles: Roles, call: C) => R) | undefined {
    if (!around) return undefined
    const act = (site: S, roles: Roles, call: C, lane: number): R =>
      around.call(inner, site, picked(site, roles, lane, call), { ...call, shared: sharedBy(lane, call) })
    return (site, roles, call) =>
      passes === 1 ? act(site, roles, call, 0) : lanes.whole(lanes.parts(call, passes).map((each, lane) => act(site, roles, each, lane)))
  }

  /** A site's roles as each expert has them. */
  const views = (roles: Roles): Roles[] => {
    const parts = Object.entries(roles).map(([role, stack]) => [role, partsOf(stack)] as const)
    return Array.from({ length: experts }, (_, k) => Object.fromEntries(parts.map(([role, each]) => [role, each[k] ?? each[0]!])))
  }
  const mean = (values: readonly Value[]): Value => (values.length === 1 ? values[0]! : mul(addAll(values), 1 / values.length))

  const linear = inLanes(inner.linear, linearLanes)
  const branch = inLanes(inner.branch, branchLanes)
  const keyValue = inLanes(inner.keyValue, keyValueLanes)
  const embedding = inLanes(inner.embedding, embeddingLanes)
  const norm = inLanes(inner.norm, normLanes)
  const routes = draws.length > 0 ? [{ name: 'mixture.routes', dtype: 'float32' as const, shape: [passes * draws.length, experts] }] : []

  return {
    name: 'adamix',
    passes,
    consistency,
    lazy,
    parameters: (site) =>
      Object.fromEntries(Object.entries(inner.parameters(site)).map(([role, spec]) => [role, stacked(spec, poolOf(role))])),
    ...(linear && { linear }),
    ...(branch && { branch }),
    ...(keyValue && { keyValue }),
    ...(embedding && { embedding }),
    ...(norm && { norm }),
    ...(inner.model && {
      model: (site, roles, call) =>
        Object.assign(
          {},
          ...Array.from({ length: passes }, (_, lane) => {
            const made = Object.entries(inner.model!(site, picked(site, roles, lane, call), call))
            return Object.fromEntries(made.map(([name, value]) => [laneName(lane, name), value]))
          }),
        ),
    }),
    ...(inner.sequence && { sequence: inner.sequence }),
    ...(inner.remains !== undefined && { remains: inner.remains }),
    trains: (parameter) => inner.trains(parameter),
    ...(inner.penalty && {
      penalty(all) {
        const each = all.map(({ site, roles }) => ({ site, experts: views(roles) }))
        const terms = Array.from({ length: experts }, (_, k) =>
          inner.penalty!(each.map(({ site, experts: own }) => ({ site, roles: own[k]! }))),
        )
        return terms[0] ? mean(terms as Value[]) : null
      },
    }),
    controls: [...(inner.controls ?? []), ...routes],
    feed(moment): Record<string, FedControl> {
      const data = new Float32Array(passes * draws.length * experts)
      for (let pass = 0; pass < passes; pass++) {
        draws.forEach((draw, i) => {
          data[(pass * draws.length + i) * experts + router(draw, { ...moment, pass })] = 1
        })
      }
      const fed = { data, shape: [passes * draws.length, experts] }
      return { ...inner.feed?.(moment), ...(draws.length > 0 && { 'mixture.routes': fed }) }
    },
    ...(inner.buffers && {
      buffers: (site) => Object.fromEntries(Object.entries(inner.buffers!(site)).map(([name, shape]) => [name, [experts, ...shape]])),
    }),
    ...(inner.observe && {
      observe(site, { before, after, gradients, buffers, controls }) {
        const [earlier, later, slopes, kept] = [before, after, gradients, buffers].map(views) as [Roles[], Roles[], Roles[], Roles[]]
        const each = later.map((_, k) =>
          inner.observe!(site, { before: earlier[k]!, after: later[k]!, gradients: slopes[k]!, buffers: kept[k]!, controls }),
        )
        const stack = (values: Value[]): Value =>
          concat(
            values.map((value) => reshape(value, [1, ...value.shape])),
            0,
          )
        const joined = (of: 'buffers' | 'signals', join: (values: Value[]) => Value): Roles =>
          Object.fromEntries(Object.keys(each[0]![of]).map((name) => [name, join(each.map((one) => one[of][name]!))]))
        return { buffers: joined('buffers', stack), signals: joined('signals', mean) }
      },
    }),
    ...(inner.control && {
      control(step, signals, state, memory) {
        const decisions = expertsOf(state, stacks, experts).map((one) => inner.control!(step, signals, one, memory))
        const [decision] = decisions
        if (!decision?.reshape) return decision ?? null
        return { ...decision, reshape: decision.reshape.map((kept) => ({ ...kept, axis: kept.axis + 1 })) }
      },
    }),
    ...(inner.settled && { settled: (step) => inner.settled!(step) }),
    deploy: (state) => meanOfExperts(inner, state, stacks, experts),
    experts: {
      count: experts,
      route(state, choose) {
        const choices = new Map(
          sites.flatMap((site) => rolesOf(site).map((role) => [parameterName(site, role), drawOf(site, role)] as const)),
        )
        const route = pickedFrom(state, stacks, (parameter) => choose(choices.get(parameter)!))
        // What is fed must own its buffer: the engine's sums depend on alignment.
        return deployed(inner, new Map([...route].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }])))
      },
    },
  } satisfies Method
}
