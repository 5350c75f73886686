import type { Value } from '../graph/graph.ts'
import { add, cast, div, greater, maximum, min, mul, stopGradient, sub, where } from '../graph/ops/elementwise.ts'
import { concat, gather, reshape, sizeOf, split } from '../graph/ops/movement.ts'
import { sortDescending } from '../graph/ops/sorting.ts'

/** What is never among the best. */
const NEVER = -1e30

/**
 * Assigns each token to one expert, equally many to each (the first n mod experts have one more), so that the sum of scores is large:
 * one-hot `[n, experts]` of scores `[n, experts]`, without gradient.
 *
 * A dual ascent after Bertsekas' auctions: in turn each expert sets its price such that as many tokens as it may take prefer it at the
 * others' prices, in as many rounds as there are experts; then they take their best tokens in turn. Always balanced. Optimal where the tokens' preferences at the last
 * prices are balanced themselves, with two experts always; else below the optimum by at most the gap between
 * `Σ_t max_e (s_te - price_e) + Σ_e quota_e price_e` and the sum of scores.
 */
export function balancedAssignment(scores: Value): Value {
  const { graph } = scores
  const [size, experts] = scores.shape as readonly [number, number]
  const n = sizeOf(graph, size)
  const columns = split(stopGradient(scores), 1, experts).map((column) => reshape(column, [size]))
  const quotas = columns.map((_, e) => div(add(n, experts - 1 - e), experts))
  const within = (place: Value): Value => min(maximum([place, mul(place, 0)]), sub(n, 1))
  /** The places of the last bid that an expert takes and of the next one. */
  const bounds = quotas.map((quota) => [within(sub(quota, 1)), within(quota)] as const)
  /** How much more than of `others` a token makes of expert `e`. */
  const bids = (own: Value, others: readonly Value[]): Value => sub(own, maximum(others))

  let values: readonly Value[] = columns
  for (let round = 0; experts > 1 && round < experts; round++) {
    for (const [e, column] of columns.entries()) {
      const others = values.filter((_, other) => other !== e)
      const { values: falling } = sortDescending(bids(column, others))
      const [last, next] = bounds[e]!
      values = values.with(e, sub(column, mul(add(gather(falling, last), gather(falling, next)), 0.5)))
    }
  }
  let free = cast(greater(mul(columns[0]!, 0), -1), graph.float)
  const chosen = values.map((value, e) => {
    const later = values.slice(e + 1)
    if (later.length === 0) return free
    const { places } = sortDescending(where(greater(free, 0), bids(value, later), NEVER))
    const taken = cast(greater(quotas[e]!, places), graph.float)
    free = sub(free, taken)
    return taken
  })
  return concat(
    chosen.map((one) => reshape(one, [size, 1])),
    1,
  )
}
