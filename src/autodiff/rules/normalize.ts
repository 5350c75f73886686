import { exp, mul, sub } from '../../graph/ops/elementwise.ts'
import { reduceMean, reduceSum } from '../../graph/ops/reduction.ts'
import type { Rules } from './rule.ts'

export const normalize: Rules = {
  Softmax: ({ outputs: [y] }, [g]) => {
    const weighted = mul(g!, y!)
    return [sub(weighted, mul(y!, reduceSum(weighted, { axes: [-1], keep: true })))]
  },
  LogSoftmax: ({ outputs: [y] }, [g]) => [sub(g!, mul(exp(y!), reduceSum(g!, { axes: [-1], keep: true })))],
  LayerNormalization: ({ inputs: [x, weight], outputs: [, mean, inverse] }, [g], wants) => {
    const normal = mul(sub(x!, mean!), inverse!)
    const rows = x!.shape.map((_, i) => i).slice(0, -1)
    const dWeight = wants[1] ? reduceSum(mul(g!, normal), { axes: rows }) : null
    const dBias = wants[2] ? reduceSum(g!, { axes: rows }) : null
    if (!wants[0]) return [null, dWeight, dBias]
    const scaled = mul(g!, weight!)
    const means = (of: typeof scaled): typeof scaled => reduceMean(of, { axes: [-1], keep: true })
    const dx = mul(sub(sub(scaled, means(scaled)), mul(normal, means(mul(scaled, normal)))), inverse!)
    return [dx, dWeight, dBias]
  },
  SimplifiedLayerNormalization: ({ inputs: [x, weight], outputs: [, inverse] }, [g], wants) => {
    const normal = mul(x!, inverse!)
    const rows = x!.shape.map((_, i) => i).slice(0, -1)
    const dWeight = wants[1] ? reduceSum(mul(g!, normal), { axes: rows }) : null
    if (!wants[0]) return [null, dWeight]
    const scaled = mul(g!, weight!)
    const mean = reduceMean(mul(scaled, normal), { axes: [-1], keep: true })
    return [mul(sub(scaled, mul(normal, mean)), inverse!), dWeight]
  },
}
