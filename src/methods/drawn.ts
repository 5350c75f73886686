import type { Value } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reshape, slice, split } from '../graph/ops/movement.ts'
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

/** One expert of each role for all tokens of a pass: its tensors are picked out of the stack by a product with one-hot rows. */
export function drawn(
  inner: Method,
  { experts, poolOf }: MixedParameters,
  { draws, placeOf }: Draws,
  { passes, draw }: DrawnOptions,
): Acting {
  /** The parameters that each pass uses at a site; those of all passes come out of a stack together. */
  function picked(site: Site, roles: Roles, { controls }: AnyCall): Roles[] {
    const forPasses = (role: string, stack: Value): Value[] => {
      const shape = stack.shape.slice(1)
      if (poolOf(role) === 1) return Array<Value>(passes).fill(reshape(stack, shape))
      const first = placeOf(site, role) * passes
      const choices = slice(controls[ROUTES]!, 0, first, first + passes, passes)
      const chosen = gemm(choices, reshape(stack, [experts, elementCount(shape as number[])]))
      return split(chosen, 0, passes).map((one) => reshape(one, shape))
    }
    const each = Object.entries(roles).map(([role, stack]) => [role, forPasses(role, stack)] as const)
    return Array.from({ length: passes }, (_, pass) => Object.fromEntries(each.map(([role, own]) => [role, own[pass]!])))
  }

  /** Acts once for each pass, on its part of the batch. */
  function inLanes<S extends Site, C extends AnyCall, R>(
    around: ((site: S, roles: Roles, call: C) => R) | undefined,
    lanes: Lanes<C, R>,
  ): ((site: S, roles: Roles, call: C) => R) | undefined {
    if (!around) return undefined
    return (site, roles, call) => {
      const own = picked(site, roles, call)
      const act = (each: C, pass: number): R => around.call(inner, site, own[pass]!, { ...each, shared: sharedOf(call.shared, pass) })
      return lanes.whole(lanes.parts(call, passes).map(act))
    }
  }

  const linear = inLanes(inner.linear, linearLanes)
  const branch = inLanes(inner.branch, branchLanes)
  const keyValue = inLanes(inner.keyValue, keyValueLanes)
  const embedding = inLanes(inner.embedding, embeddingLanes)
  const norm = inLanes(inner.norm, normLanes)
  const shape = [draws.length * passes, experts]
  return {
    ...(linear && { linear }),
    ...(branch && { branch }),
    ...(keyValue && { keyValue }),
    ...(embedding && { embedding }),
    ...(norm && { norm }),
    ...(inner.model && {
      model: (site, roles, call) => joinShared(picked(site, roles, call).map((own) => inner.model!(site, own, call))),
    }),
    parameters: () => ({}),
    controls: draws.length > 0 ? [{ name: ROUTES, dtype: 'float32', shape }] : [],
    feed(moment): Record<string, FedControl> {
      if (draws.length === 0) return {}
      const data = new Float32Array(passes * draws.length * experts)
      for (const [i, one] of draws.entries()) {
        for (let pass = 0; pass < passes; pass++) data[(i * passes + pass) * experts + draw(one, { ...moment, pass })] = 1
      }
      return { [ROUTES]: { data, shape } }
    },
    events: () => [],
  }
}
