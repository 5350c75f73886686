import type { Value } from '../graph/graph.ts'
import { add, addAll, mul, sub } from '../graph/ops/elementwise.ts'
import { reshape, split } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import type { BranchCall, EmbeddingCall, KeyValueCall, KeyValues, LinearCall, NormCall } from '../nn/site.ts'

/** How the results of several experts at a site become one, by gates `[n, experts]` for its n tokens or rows. */
export interface Blend<Call, Result> {
  /** What the site reads, `[n, ...]`. */
  readonly input: (call: Call) => Value
  /** What the site gives without a method; null where a method's result is nothing like it. */
  readonly plain: (call: Call) => Result | null
  readonly sum: (results: readonly Result[], gates: Value, plain: Result | null) => Result
}

/** `Σ_k g_k y_k + (1 - Σ_k g_k) y`: exactly y_k where its gate alone is 1, exactly the plain result where all are 0. */
function weighted(results: readonly Value[], gates: Value, plain: Value | null): Value {
  const like = (column: Value): Value => reshape(column, [gates.shape[0]!, ...results[0]!.shape.slice(1).map(() => 1)])
  const columns = split(gates, 1, results.length).map(like)
  const sum = addAll(results.map((result, k) => mul(result, columns[k]!)))
  if (!plain) return sum
  return add(sum, mul(plain, like(sub(1, reduceSum(gates, { axes: [1], keep: true })))))
}

export const linearBlend: Blend<LinearCall, Value> = { input: ({ input }) => input, plain: ({ base, input }) => base(input), sum: weighted }
export const branchBlend: Blend<BranchCall, Value> = { input: ({ value }) => value, plain: ({ value }) => value, sum: weighted }
export const normBlend: Blend<NormCall, Value> = { input: ({ input }) => input, plain: ({ base, input }) => base(input), sum: weighted }
export const embeddingBlend: Blend<EmbeddingCall, Value> = { input: ({ value }) => value, plain: () => null, sum: weighted }
export const keyValueBlend: Blend<KeyValueCall, KeyValues> = {
  input: ({ key }) => key,
  plain: () => null,
  sum(results, gates) {
    const each = (of: 'key' | 'value' | 'mask'): Value =>
      weighted(
        results.map((result) => result[of]),
        gates,
        null,
      )
    return { key: each('key'), value: each('value'), mask: each('mask'), columns: results[0]!.columns }
  },
}
