import type { Value } from '../graph/graph.ts'
import { addAll, mul } from '../graph/ops/elementwise.ts'
import { concat, reshape } from '../graph/ops/movement.ts'
import type { Method, Roles, Tensor } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'
import type { Routing } from '../routing/route.ts'
import { drawn } from './drawn.ts'
import { expertsOf, meanOfExperts } from './experts.ts'
import { gated } from './gated.ts'
import { stacksOf } from './stacks.ts'

export interface MixtureOptions {
  readonly experts: number
  /** Groups of roles that have one expert for all routes. */
  readonly share: readonly string[]
  /** Weight of the consistency between two passes; 0 takes one pass. */
  readonly consistency: number
  readonly lazy: boolean
  readonly routing: Routing
  /** Whether the mean of the experts stands for them outside of training; else the mixture answers itself, in one pass. */
  readonly merges: boolean
  /** Whether all groups of a site share a draw, where a pass has one. */
  readonly coupled?: boolean
}

/**
 * AdaMix (Wang et al. 2022) over any method: every role is a stack of experts, and a routing chooses among them, one for a pass, or
 * gates for each row or token. It knows the wrapped method only by its contract; what that observes and decides is pooled over the experts.
 * @throws UserError for a routing that the method has no place for
 */
export function mixture(inner: Method, sites: readonly Site[], options: MixtureOptions): Method {
  const { experts, share, consistency, lazy, routing, merges, coupled = false } = options
  const passes = consistency > 0 ? 2 : 1
  const stacks = stacksOf(inner, sites, experts, share)
  const { pools, views } = stacks
  const acting =
    routing.per === 'pass'
      ? drawn(inner, sites, stacks, { passes, draw: routing.draw, coupled })
      : gated(inner, sites, stacks, { passes, routing })
  const { linear, branch, keyValue, embedding, norm, model } = acting
  const mean = (values: readonly Value[]): Value => (values.length === 1 ? values[0]! : mul(addAll(values), 1 / values.length))

  return {
    name: 'adamix',
    passes,
    consistency,
    lazy,
    parameters: (site) => ({ ...stacks.parameters(site), ...acting.parameters(site) }),
    ...(linear && { linear }),
    ...(branch && { branch }),
    ...(keyValue && { keyValue }),
    ...(embedding && { embedding }),
    ...(norm && { norm }),
    ...(model && { model }),
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
    controls: [...(inner.controls ?? []), ...acting.controls],
    feed: (moment) => ({ ...inner.feed?.(moment), ...acting.feed(moment) }),
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
    control(step, signals, state, memory) {
      const { control } = inner
      const [decision] = control ? expertsOf(state, pools).map((one) => control.call(inner, step, signals, one, memory)) : []
      const events = [...(decision?.events ?? []), ...acting.events(step, signals)]
      if (!decision && events.length === 0) return null
      const cut = decision?.reshape?.map((kept) => ({ ...kept, axis: kept.axis + 1 }))
      return { ...decision, events, ...(cut && { reshape: cut }) }
    },
    ...(inner.settled && { settled: (step) => inner.settled!(step) }),
    ...(merges && { deploy: (state: ReadonlyMap<string, Tensor>) => meanOfExperts(inner, state, pools) }),
  } satisfies Method
}
