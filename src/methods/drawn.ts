import { gemm } from '../graph/ops/matmul.ts'
import { reshape, slice } from '../graph/ops/movement.ts'
import { branchLanes, embeddingLanes, keyValueLanes, type Lanes, linearLanes, normLanes } from '../nn/lanes.ts'
import type { FedControl, Method, Roles } from '../nn/method.ts'
import type { AnyCall, Site } from '../nn/site.ts'
import { elementCount } from '../nn/tensor.ts'
import type { Router } from '../routing/route.ts'
import { type Acting, joinShared, sharedOf } from './acting.ts'
import type { Draws, MixedParameters } from './mixed-parameters.ts'

export interface DrawnOptions {
  readonly passes: number
  readonly draw: Router
}

const ROUTES = 'mixture.routes'

/** One expert of each role for all tokens of a pass: its tensors are picked out of the stack by a product with a one-hot row. */
export function drawn(
  inner: Method,
  { experts, poolOf }: MixedParameters,
  { draws, placeOf }: Draws,
  { passes, draw }: DrawnOptions,
): Acting {
  /** The parameters that pass `lane` uses at a site. */
  const picked = (site: Site, roles: Roles, lane: number, { controls }: AnyCall): Roles =>
    Object.fromEntries(
      Object.entries(roles).map(([role, stack]) => {
        const shape = stack.shape.slice(1)
        if (poolOf(role) === 1) return [role, reshape(stack, shape)]
        const at = lane * draws.length + placeOf(site, role)
        const choice = slice(controls[ROUTES]!, 0, at, at + 1, 1)
        return [role, reshape(gemm(choice, reshape(stack, [experts, elementCount(shape as number[])])), shape)]
      }),
    )

  /** Acts once for each pass, on its part of the batch. */
  function inLanes<S extends Site, C extends AnyCall, R>(
    around: ((site: S, roles: Roles, call: C) => R) | undefined,
    lanes: Lanes<C, R>,
  ): ((site: S, roles: Roles, call: C) => R) | undefined {
    if (!around) return undefined
    const act = (site: S, roles: Roles, call: C, lane: number): R =>
      around.call(inner, site, picked(site, roles, lane, call), { ...call, shared: sharedOf(call.shared, lane) })
    return (site, roles, call) =>
      passes === 1 ? act(site, roles, call, 0) : lanes.whole(lanes.parts(call, passes).map((each, lane) => act(site, roles, each, lane)))
  }

  const linear = inLanes(inner.linear, linearLanes)
  const branch = inLanes(inner.branch, branchLanes)
  const keyValue = inLanes(inner.keyValue, keyValueLanes)
  const embedding = inLanes(inner.embedding, embeddingLanes)
  const norm = inLanes(inner.norm, normLanes)
  const shape = [passes * draws.length, experts]
  return {
    ...(linear && { linear }),
    ...(branch && { branch }),
    ...(keyValue && { keyValue }),
    ...(embedding && { embedding }),
    ...(norm && { norm }),
    ...(inner.model && {
      model: (site, roles, call) =>
        joinShared(Array.from({ length: passes }, (_, lane) => inner.model!(site, picked(site, roles, lane, call), call))),
    }),
    parameters: () => ({}),
    controls: draws.length > 0 ? [{ name: ROUTES, dtype: 'float32', shape }] : [],
    feed(moment): Record<string, FedControl> {
      if (draws.length === 0) return {}
      const data = new Float32Array(passes * draws.length * experts)
      for (let pass = 0; pass < passes; pass++) {
        for (const [i, one] of draws.entries()) data[(pass * draws.length + i) * experts + draw(one, { ...moment, pass })] = 1
      }
      return { [ROUTES]: { data, shape } }
    },
    events: () => [],
  }
}
