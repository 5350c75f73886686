import type { Score, ScoreSettings } from '../allocation/scores/score.ts'
import { where } from '../graph/ops/elementwise.ts'
import { slice } from '../graph/ops/movement.ts'
import type { Control, FedControl, Method } from '../nn/method.ts'
import type { Divisible } from './divisible.ts'

const OBSERVING = 'allocation.observing'
const DRAWS = 'allocation.draws'

/**
 * A method with the signal `score` of each module's components, `[rank]`, and what the score keeps for it. Statistics advance as long as
 * `observes` says so of a step.
 */
export function rated(
  inner: Method,
  { modules, components, initial: { rankOf } }: Divisible,
  score: Score,
  settings: ScoreSettings,
  observes: (step: number) => boolean,
): Method {
  const keeps = score.statistics
  /** Where a module's draws begin. */
  const starts = new Map<string, number>()
  let total = 0
  for (const { name } of modules) {
    starts.set(name, total)
    total += rankOf(name)
  }
  const controls: Control[] = [
    ...(keeps.length > 0 ? [{ name: OBSERVING, dtype: 'bool', shape: [] } as const] : []),
    ...(score.draw ? [{ name: DRAWS, dtype: 'float32', shape: [total] } as const] : []),
  ]
  return {
    ...inner,
    controls,
    feed({ seed, step }): Record<string, FedControl> {
      const fed: Record<string, FedControl> = {}
      if (keeps.length > 0) fed[OBSERVING] = { data: Uint8Array.of(observes(step) ? 1 : 0), shape: [] }
      if (score.draw) {
        const data = new Float32Array(total)
        for (const { name } of modules) data.set(score.draw(seed, step, name, rankOf(name)), starts.get(name)!)
        fed[DRAWS] = { data, shape: [total] }
      }
      return fed
    },
    parameters: (site) =>
      Object.fromEntries(Object.entries(inner.parameters(site)).map(([role, spec]) => [role, { ...spec, statistics: keeps }])),
    statistics({ parameter, gradient, statistics: old, controls: fed }) {
      const now = score.update(parameter, gradient, old, settings)
      return Object.fromEntries(keeps.map((name) => [name, where(fed[OBSERVING]!, now[name]!, old[name]!)]))
    },
    observe(site, { roles: factors, statistics, controls: fed }) {
      const [start, rank] = [starts.get(site.name)!, rankOf(site.name)]
      const draws = score.draw ? slice(fed[DRAWS]!, 0, start, start + rank, rank) : null
      return { score: score.score({ components, factors, statistics, draws }) }
    },
  }
}
