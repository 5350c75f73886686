import type { Value } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { concat, reshape, slice } from '../graph/ops/movement.ts'
import type { Consistency } from '../nn/consistency.ts'
import type { FedControl, Method, ParameterSpec, Roles, Tensor } from '../nn/method.ts'
import { deployed, parameterName } from '../nn/method.ts'
import { branchLanes, linearLanes } from '../nn/network.ts'
import type { AnyCall, Site } from '../nn/site.ts'
import { elementCount } from '../nn/tensor.ts'
import { keyOf } from '../random/key.ts'
import type { Draw, Router } from '../routing/route.ts'

export interface MixtureOptions {
  readonly experts: number
  /** Groups of roles that have one expert for all routes. */
  readonly share: readonly string[]
  /** How two passes make one loss; null takes one pass. */
  readonly consistency: Consistency | null
  readonly lazy: boolean
  readonly router: Router
}

/** A role's group: its tensors, weight and bias, are drawn together. */
export const groupOf = (role: string): string => role.slice(0, role.indexOf('.'))

/** `experts` copies along a new first axis; expert 0 starts as the plain method would. */
function stacked({ shape, init }: ParameterSpec, experts: number): ParameterSpec {
  return {
    shape: [experts, ...shape],
    init(key) {
      const all = new Float32Array(experts * elementCount(shape))
      for (let k = 0; k < experts; k++) all.set(init(k === 0 ? key : keyOf('expert', key[0], key[1], k)), k * elementCount(shape))
      return all
    },
  }
}

/** The mean over the first axis, summed in doubles. */
function meanExpert({ shape: [experts, ...shape], data }: Tensor): Tensor {
  const size = elementCount(shape)
  const mean = Float32Array.from({ length: size }, (_, i) => {
    let sum = 0
    for (let k = 0; k < experts!; k++) sum += data[k * size + i]!
    return sum / experts!
  })
  return { shape, data: mean }
}

/** One part of the first axis. */
function partOf({ shape: [count, ...shape], data }: Tensor, k: number): Tensor {
  const size = data.length / count!
  return { shape, data: data.slice(k * size, (k + 1) * size) }
}

/**
 * AdaMix (Wang et al. 2022) over any method: every role is a stack of experts, each pass of a batch picks one expert by a product with
 * a one-hot row, and outside of training the mean of the experts stands for all. It knows the wrapped method only by its parameters.
 */
export function mixture(inner: Method, sites: readonly Site[], { experts, share, consistency, lazy, router }: MixtureOptions): Method {
  const unmixed = (['keyValue', 'embedding'] as const).find((kind) => inner[kind])
  if (unmixed) throw new Error(`a mixture does not reach ${unmixed} sites, where ${inner.name} acts`)
  const passes = consistency === null ? 1 : 2
  const poolOf = (role: string): number => (share.includes(groupOf(role)) ? 1 : experts)
  const couplingOf = (site: Site): string => inner.coupling?.(site) ?? site.name
  const drawn = new Map<string, Draw>()
  for (const site of sites) {
    for (const role of Object.keys(inner.parameters(site))) {
      const [group, name] = [couplingOf(site), groupOf(role)]
      if (poolOf(role) > 1) drawn.set(`${group} ${name}`, { group, role: name, experts })
    }
  }
  const draws = [...drawn.values()]
  const place = new Map([...drawn.keys()].map((key, i) => [key, i]))

  /** The parameters that pass `lane` uses at a site. */
  const picked = (site: Site, roles: Roles, lane: number, { controls }: AnyCall): Roles =>
    Object.fromEntries(
      Object.entries(roles).map(([role, stack]) => {
        const shape = stack.shape.slice(1)
        const row = place.get(`${couplingOf(site)} ${groupOf(role)}`)
        if (poolOf(role) === 1 || row === undefined) return [role, reshape(stack, shape)]
        const at = lane * draws.length + row
        const choice = slice(controls['mixture.routes']!, 0, at, at + 1, 1)
        return [role, reshape(gemm(choice, reshape(stack, [experts, elementCount(shape as number[])])), shape)]
      }),
    )

  /** Acts once for each pass, on its part of the batch. */
  function inLanes<S extends Site, C extends AnyCall>(
    around: (site: S, roles: Roles, call: C) => Value,
    lanes: (call: C, passes: number) => C[],
  ) {
    return (site: S, roles: Roles, call: C): Value => {
      if (passes === 1) return around.call(inner, site, picked(site, roles, 0, call), call)
      return concat(
        lanes(call, passes).map((each, lane) => around.call(inner, site, picked(site, roles, lane, call), each)),
        0,
      )
    }
  }

  return {
    name: 'adamix',
    passes,
    consistency,
    lazy,
    parameters: (site) =>
      Object.fromEntries(Object.entries(inner.parameters(site)).map(([role, spec]) => [role, stacked(spec, poolOf(role))])),
    ...(inner.linear && { linear: inLanes(inner.linear, linearLanes) }),
    ...(inner.branch && { branch: inLanes(inner.branch, branchLanes) }),
    trains: (parameter) => inner.trains(parameter),
    controls: draws.length > 0 ? [{ name: 'mixture.routes', dtype: 'float32', shape: [passes * draws.length, experts] }] : [],
    feed(moment): Record<string, FedControl> {
      if (draws.length === 0) return {}
      const data = new Float32Array(passes * draws.length * experts)
      for (let pass = 0; pass < passes; pass++) {
        draws.forEach((draw, i) => {
          data[(pass * draws.length + i) * experts + router(draw, { ...moment, pass })] = 1
        })
      }
      return { 'mixture.routes': { data, shape: [passes * draws.length, experts] } }
    },
    deploy(state) {
      const merged = new Map(state)
      for (const site of sites) {
        for (const role of Object.keys(inner.parameters(site))) {
          const name = parameterName(site, role)
          const stack = merged.get(name)
          if (stack) merged.set(name, meanExpert(stack))
        }
      }
      return { method: inner, state: merged }
    },
    experts: {
      count: experts,
      route(state, choose) {
        const picked = new Map(state)
        for (const site of sites) {
          for (const role of Object.keys(inner.parameters(site))) {
            const name = parameterName(site, role)
            const stack = picked.get(name)
            const expert = poolOf(role) === 1 ? 0 : choose({ group: couplingOf(site), role: groupOf(role) })
            if (stack) picked.set(name, partOf(stack, expert))
          }
        }
        return deployed(inner, picked)
      },
    },
  }
}
