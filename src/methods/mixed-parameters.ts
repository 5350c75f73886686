import type { Value } from '../graph/graph.ts'
import { reshape, split } from '../graph/ops/movement.ts'
import { groupOf, type Method, type ParameterSpec, parameterName, type Roles } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'
import { elementCount } from '../nn/tensor.ts'
import { type Key, keyOf } from '../random/key.ts'
import type { Draw } from '../routing/route.ts'
import type { Stacks } from './experts.ts'

/** How a method's parameters become those of several experts. */
export interface Mixing {
  readonly experts: number
  /** Whether experts begin with values of their own, or all with those of the first; apart by default. */
  readonly start?: 'apart' | 'same'
  /** Groups of roles that have one expert for all routes. */
  readonly share: readonly string[]
}

/** A method's parameters as stacks of experts along a new first axis; those that are shared or frozen have one. */
export interface MixedParameters {
  readonly experts: number
  poolOf(role: string): number
  parameters(site: Site): Record<string, ParameterSpec>
  /** Values by role as each expert has them; the routing's own are left out. */
  views(roles: Roles): Roles[]
  /** The roles at a site that have more than one expert. */
  mixed(site: Site): string[]
  readonly stacks: Stacks
}

/** The group of the roles that a routing trains at a site; no stacks. */
export const ROUTER = 'router'

/** `experts` copies along a new first axis; expert 0 starts as the plain method would, and where they start the same, all do. */
function stacked({ shape, init, ...rest }: ParameterSpec, experts: number, start: Mixing['start']): ParameterSpec {
  return {
    ...rest,
    shape: [experts, ...shape],
    single: shape,
    init(key) {
      const all = new Float32Array(experts * elementCount(shape))
      const keyAt = (k: number): Key => (k === 0 || start === 'same' ? key : keyOf('expert', key[0], key[1], k))
      for (let k = 0; k < experts; k++) all.set(init(keyAt(k)), k * elementCount(shape))
      return all
    },
  }
}

/** The parts of a stack along its first axis. */
const partsOf = (stack: Value): Value[] => split(stack, 0, stack.shape[0] as number).map((one) => reshape(one, stack.shape.slice(1)))

export function mixedParameters(inner: Method, sites: readonly Site[], { experts, start = 'apart', share }: Mixing): MixedParameters {
  const specs = new Map(sites.flatMap((site) => Object.entries(inner.parameters(site))))
  const poolOf = (role: string): number => (share.includes(groupOf(role)) || specs.get(role)?.frozen ? 1 : experts)
  const rolesOf = (site: Site): string[] => Object.keys(inner.parameters(site))
  return {
    experts,
    poolOf,
    parameters: (site) =>
      Object.fromEntries(Object.entries(inner.parameters(site)).map(([role, spec]) => [role, stacked(spec, poolOf(role), start)])),
    views(roles) {
      const parts = Object.entries(roles).flatMap(([role, stack]) => (groupOf(role) === ROUTER ? [] : [[role, partsOf(stack)] as const]))
      return Array.from({ length: experts }, (_, k) => Object.fromEntries(parts.map(([role, each]) => [role, each[k] ?? each[0]!])))
    },
    mixed: (site) => rolesOf(site).filter((role) => poolOf(role) > 1),
    stacks: new Map(sites.flatMap((site) => rolesOf(site).map((role) => [parameterName(site, role), poolOf(role)] as const))),
  }
}

/** The choices that a route makes, and which of them a role at a site follows. */
export interface Draws {
  readonly draws: readonly Draw[]
  drawOf(site: Site, role: string): Draw
  /** The index of that draw. */
  placeOf(site: Site, role: string): number
}

/** Sites that the method couples are drawn together, and all roles of a site where they are `coupled`. */
export function drawsOf(inner: Method, sites: readonly Site[], { experts, mixed }: MixedParameters, coupled: boolean): Draws {
  const drawOf = (site: Site, role: string): Draw => ({
    group: inner.coupling?.(site) ?? site.name,
    role: coupled ? [...new Set(mixed(site).map(groupOf))].join('+') : groupOf(role),
    experts,
  })
  const keyOfDraw = ({ group, role }: Draw): string => `${group} ${role}`
  const all = sites.flatMap((site) => mixed(site).map((role) => drawOf(site, role)))
  const distinct = new Map(all.map((draw) => [keyOfDraw(draw), draw]))
  const place = new Map([...distinct.keys()].map((key, i) => [key, i]))
  return { draws: [...distinct.values()], drawOf, placeOf: (site, role) => place.get(keyOfDraw(drawOf(site, role)))! }
}
