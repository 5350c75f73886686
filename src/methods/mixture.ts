import type { Value } from '../graph/graph.ts'
import { addAll, mul } from '../graph/ops/elementwise.ts'
import type { Consistency } from '../nn/consistency.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { deployed, parameterName } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'
import type { Draw, Routing } from '../routing/route.ts'
import { drawn } from './drawn.ts'
import { expertsOf, meanOfExperts, pickedFrom } from './experts.ts'
import { gated } from './gated.ts'
import { drawsOf, type Mixing, mixedParameters } from './mixed-parameters.ts'

type State = ReadonlyMap<string, Tensor>

export interface MixtureOptions extends Mixing {
  /** How two passes make one loss; null takes one pass. */
  readonly consistency: Consistency | null
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
  const { consistency, lazy, routing, merges, coupled = false } = options
  const passes = consistency === null ? 1 : 2
  const mixed = mixedParameters(inner, sites, options)
  const { experts, stacks, views } = mixed
  const draws = drawsOf(inner, sites, mixed, coupled || routing.per !== 'pass')
  const acting =
    routing.per === 'pass'
      ? drawn(inner, mixed, draws, { passes, draw: routing.draw })
      : gated(inner, sites, mixed, draws, { passes, routing })
  /** The draw that each stack follows on a route. */
  const choices = new Map(
    sites.flatMap((site) => mixed.mixed(site).map((role) => [parameterName(site, role), draws.drawOf(site, role)] as const)),
  )
  const mean = (values: readonly Value[]): Value => (values.length === 1 ? values[0]! : mul(addAll(values), 1 / values.length))

  return {
    ...acting,
    name: 'adamix',
    passes,
    consistency,
    lazy,
    parameters: (site) => ({ ...mixed.parameters(site), ...acting.parameters(site) }),
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
    events: (step, signals) => [...(inner.events?.(step, signals) ?? []), ...acting.events(step, signals)],
    ...(inner.statistics && { statistics: inner.statistics }),
    ...(inner.observe && {
      observe(site, { roles, statistics, controls }) {
        const kept = Object.entries(statistics).map(([role, of]) => [role, views(of)] as const)
        const each = views(roles).map((own, k) =>
          inner.observe!(site, { roles: own, statistics: Object.fromEntries(kept.map(([role, of]) => [role, of[k]!])), controls }),
        )
        return Object.fromEntries(Object.keys(each[0]!).map((name) => [name, mean(each.map((one) => one[name]!))]))
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
    ...(merges && {
      deploy: (state: State) => meanOfExperts(inner, state, stacks, experts),
      experts: {
        count: experts,
        route(state: State, choose: (draw: Draw) => number) {
          const route = pickedFrom(state, stacks, (parameter) => choose(choices.get(parameter)!))
          // What is fed must own its buffer: the engine's sums depend on alignment.
          return deployed(inner, new Map([...route].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }])))
        },
      },
    }),
  } satisfies Method
}
