import type { Value } from '../graph/graph.ts'
import { concat, split } from '../graph/ops/movement.ts'
import type { BranchCall, EmbeddingCall, KeyValueCall, KeyValues, LinearCall, NormCall } from './site.ts'

/** How a call on a batch becomes calls on its equal parts, one for each pass, and their results one again. */
export interface Lanes<Call, Result> {
  readonly parts: (call: Call, lanes: number) => Call[]
  readonly whole: (results: readonly Result[]) => Result
}

const whole = (results: readonly Value[]): Value => concat(results, 0)

/** The frozen product is made once for all lanes. */
export const linearLanes: Lanes<LinearCall, Value> = {
  parts(call, lanes) {
    const inputs = split(call.input, 0, lanes)
    let shared: Value[] | null = null
    return inputs.map((x, lane) => ({
      ...call,
      input: x,
      base(other, bias) {
        if (other !== x || bias) return call.base(other, bias)
        shared ??= split(call.base(call.input), 0, lanes)
        return shared[lane]!
      },
    }))
  },
  whole,
}

export const branchLanes: Lanes<BranchCall, Value> = {
  parts(call, lanes) {
    let residuals: Value[] | null = null
    return split(call.value, 0, lanes).map((value, lane) => ({
      ...call,
      value,
      get residual(): Value {
        residuals ??= split(call.residual, 0, lanes)
        return residuals[lane]!
      },
    }))
  },
  whole,
}

export const keyValueLanes: Lanes<KeyValueCall, KeyValues> = {
  parts(call, lanes) {
    const [key, value, mask] = [call.key, call.value, call.mask].map((x) => split(x, 0, lanes)) as [Value[], Value[], Value[]]
    return key.map((_, lane) => ({ ...call, key: key[lane]!, value: value[lane]!, mask: mask[lane]! }))
  },
  whole: (results) => ({
    key: whole(results.map(({ key }) => key)),
    value: whole(results.map(({ value }) => value)),
    mask: whole(results.map(({ mask }) => mask)),
    columns: results[0]!.columns,
  }),
}

export const embeddingLanes: Lanes<EmbeddingCall, Value> = {
  parts(call, lanes) {
    const ids = split(call.ids, 0, lanes)
    return split(call.value, 0, lanes).map((value, lane) => ({ ...call, ids: ids[lane]!, value }))
  },
  whole,
}

export const normLanes: Lanes<NormCall, Value> = {
  parts: (call, lanes) => split(call.input, 0, lanes).map((input) => ({ ...call, input })),
  whole,
}
