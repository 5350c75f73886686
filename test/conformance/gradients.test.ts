import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backward } from '../../src/autodiff/backward.ts'
import { rules } from '../../src/autodiff/rules/index.ts'
import type { Float, Graph, Value } from '../../src/graph/graph.ts'
import { constant, createGraph, input, output } from '../../src/graph/graph.ts'
import * as elementwise from '../../src/graph/ops/elementwise.ts'
import { gelu, rotate } from '../../src/graph/ops/fused.ts'
import { batchedMatmul, gemm } from '../../src/graph/ops/matmul.ts'
import * as movement from '../../src/graph/ops/movement.ts'
import { layerNorm, logSoftmax, rootMeanSquareNorm, softmax } from '../../src/graph/ops/normalize.ts'
import { reduceMean, reduceSum, reduceSumSquare } from '../../src/graph/ops/reduction.ts'
import { stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { openSession } from '../../src/runtime/node.ts'
import type { Feeds } from '../../src/runtime/session.ts'

/** One way to use an operator: operand shapes, the expression, and the range that operands are drawn from. */
interface Case {
  readonly shapes: readonly (readonly number[])[]
  readonly build: (...operands: Value[]) => Value
  readonly low?: number
  /** For kernels that ONNX Runtime has in float32 only. */
  readonly float?: Float
}

const ints = (graph: Graph, data: number[], shape: number[]): Value => constant(graph, data, shape, 'int32')
const { add, sub, mul, div, where, greater } = elementwise

/** Three rows of 2, 1 and 3 tokens, as `pack` lays them out. */
function packed(graph: Graph): { unpack: Value; repack: Value; filled: Value } {
  return {
    unpack: ints(graph, [0, 1, 0, 2, 0, 0, 3, 4, 5], [3, 3]),
    repack: ints(graph, [0, 1, 3, 6, 7, 8], [6]),
    filled: constant(graph, [1, 1, 0, 1, 0, 0, 1, 1, 1], [3, 3, 1], graph.float),
  }
}

const cases: Record<string, Case[]> = {
  Add: [
    { shapes: [[3, 4], [4]], build: add },
    {
      shapes: [
        [2, 1, 3],
        [4, 1],
      ],
      build: add,
    },
  ],
  Sub: [
    {
      shapes: [
        [3, 4],
        [3, 1],
      ],
      build: sub,
    },
    { shapes: [[], [5]], build: sub },
  ],
  Mul: [
    {
      shapes: [
        [3, 4],
        [1, 4],
      ],
      build: mul,
    },
  ],
  Div: [{ shapes: [[3, 4], [4]], build: div, low: 0.5 }],
  Sum: [{ shapes: [[3], [3], [3]], build: (...xs) => elementwise.addAll(xs) }],
  Where: [{ shapes: [[3, 4], [4]], build: (x, y) => where(greater(x, 0), x, y) }],
  Min: [{ shapes: [[3, 4], [4]], build: elementwise.min }],
  Neg: [{ shapes: [[5]], build: elementwise.neg }],
  Abs: [{ shapes: [[5]], build: elementwise.abs }],
  Sqrt: [{ shapes: [[5]], build: elementwise.sqrt, low: 0.5 }],
  Exp: [{ shapes: [[5]], build: elementwise.exp }],
  Log: [{ shapes: [[5]], build: elementwise.log, low: 0.5 }],
  Tanh: [{ shapes: [[5]], build: elementwise.tanh }],
  Cos: [{ shapes: [[5]], build: elementwise.cos }],
  Sin: [{ shapes: [[5]], build: elementwise.sin }],
  Sigmoid: [{ shapes: [[5]], build: elementwise.sigmoid }],
  Relu: [{ shapes: [[5]], build: elementwise.relu }],
  Erf: [{ shapes: [[5]], build: elementwise.erf, float: 'float32' }],
  Gelu: [
    { shapes: [[7]], build: (x) => gelu(x), float: 'float32' },
    { shapes: [[7]], build: (x) => gelu(x, 'tanh'), float: 'float32' },
  ],
  RotaryEmbedding: [
    {
      shapes: [[3, 8]],
      build: (x) => {
        const [cosines, sines] = [Math.cos, Math.sin].map((of) => constant(x.graph, [0, 0.3, 1, 2, 3, 5].map(of), [3, 2], x.graph.float))
        return rotate(x, cosines!, sines!)
      },
      float: 'float32',
    },
  ],
  Gemm: [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      shapes: [transposeA ? [4, 3] : [3, 4], transposeB ? [5, 4] : [4, 5], [5]],
      build: (a: Value, b: Value, c: Value) => gemm(a, b, c, { transposeA, transposeB, alpha: 0.7 }),
    })),
  ),
  FusedMatMul: [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      shapes: [
        [2, ...(transposeA ? [4, 3] : [3, 4])],
        [2, ...(transposeB ? [5, 4] : [4, 5])],
      ],
      build: (a: Value, b: Value) => batchedMatmul(a, b, { transposeA, transposeB, alpha: 0.7 }),
      float: 'float32' as const,
    })),
  ),
  Reshape: [{ shapes: [[3, 4]], build: (x) => mul(movement.reshape(x, [2, 6]), movement.reshape(x, [2, 6])) }],
  Transpose: [{ shapes: [[2, 3, 4]], build: (x) => movement.transpose(x, [2, 0, 1]) }],
  Gather: [
    { shapes: [[5, 3]], build: (x) => movement.gather(x, ints(x.graph, [4, 0, 4, 1], [4])) },
    { shapes: [[1500, 2]], build: (x) => movement.gather(x, ints(x.graph, [1400, 0, 7, 1400], [2, 2])) },
    {
      shapes: [[6, 2]],
      build: (x) => {
        const { unpack, repack } = packed(x.graph)
        const rows = movement.rearrange(x, { index: unpack, inverse: repack, read: null })
        return mul(rows, constant(x.graph, [1, 1, 0, 1, 0, 0, 1, 1, 1], [3, 3, 1], x.graph.float))
      },
    },
    {
      shapes: [[3, 3, 2]],
      build: (x) => {
        const { unpack, repack, filled } = packed(x.graph)
        return movement.rearrange(x, { index: repack, inverse: unpack, read: filled })
      },
    },
  ],
  Split: [{ shapes: [[4, 3]], build: (x) => movement.split(x, 0, 2)[1]! }],
  Concat: [
    {
      shapes: [
        [2, 3],
        [2, 3],
      ],
      build: (...xs) => movement.concat(xs, 0),
    },
    {
      shapes: [
        [2, 3],
        [2, 1],
      ],
      build: (...xs) => movement.concat(xs, 1),
    },
  ],
  Slice: [
    { shapes: [[4, 5]], build: (x) => movement.slice(x, 1, 1, 3, 2) },
    { shapes: [[2, 3, 8]], build: (x) => movement.skew(x, 4) },
  ],
  Expand: [{ shapes: [[3, 1]], build: (x) => movement.expand(x, [2, 3, 4]) }],
  ReduceSum: [
    { shapes: [[3, 4]], build: (x) => reduceSum(x, { axes: [-1] }) },
    { shapes: [[3, 4]], build: (x) => reduceSum(x, { axes: [0], keep: true }) },
  ],
  ReduceMean: [{ shapes: [[3, 4]], build: (x) => reduceMean(x, { axes: [-1], keep: true }) }],
  ReduceSumSquare: [
    { shapes: [[3, 4]], build: (x) => reduceSumSquare(x) },
    { shapes: [[3, 4]], build: (x) => reduceSumSquare(x, { axes: [1] }) },
  ],
  Softmax: [{ shapes: [[3, 4]], build: softmax }],
  LogSoftmax: [{ shapes: [[3, 4]], build: logSoftmax }],
  SimplifiedLayerNormalization: [{ shapes: [[3, 6], [6]], build: (x, w) => rootMeanSquareNorm(x, w, 1e-6), float: 'float32' }],
  LayerNormalization: [
    { shapes: [[3, 6], [6], [6]], build: (x, w, b) => layerNorm(x, w, b, 1e-5), float: 'float32' },
    { shapes: [[3, 6], [6]], build: (x, w) => layerNorm(x, w, null, 1e-5), float: 'float32' },
  ],
}

/** Compares the reverse pass with central differences of a weighted sum of the result. */
async function check({ shapes, build, low = -1.5, float = 'float64' }: Case, name: string): Promise<void> {
  const graph = createGraph(float)
  const operands = shapes.map((shape, i) => input(graph, `x${i}`, float, shape))
  const result = build(...operands)
  const draws = stream(keyOf(name, shapes.join()))
  const count = (shape: readonly (number | string)[]): number => shape.reduce<number>((n, dim) => n * Number(dim), 1)
  const weights = Array.from({ length: count(result.shape) }, () => draws.uniform() + 0.5)
  const loss = reduceSum(mul(result, constant(graph, weights, result.shape as number[], float)))
  backward(loss, operands).forEach((gradient, i) => {
    assert.ok(gradient, `${name}: operand ${i} has no gradient`)
    output(graph, `g${i}`, gradient)
  })
  output(graph, 'loss', loss)
  const session = await openSession(graph)
  const make = float === 'float64' ? Float64Array : Float32Array
  const data = shapes.map((shape) => new make(count(shape)).map(() => low + draws.uniform() * 2))
  const feeds = (): Feeds => Object.fromEntries(data.map((array, i) => [`x${i}`, { data: array, shape: shapes[i]! }]))
  const exact = await session.run(feeds())
  const [step, tolerance] = float === 'float64' ? [1e-6, 1e-6] : [2e-2, 5e-3]
  for (const [i, array] of data.entries()) {
    for (const at of array.keys()) {
      if (array.length > 100 && ![0, 1, 14, 2800, 2801].includes(at)) continue
      const held = array[at]!
      array[at] = held + step
      const above = (await session.run(feeds())).loss!.data[0]!
      array[at] = held - step
      const below = (await session.run(feeds())).loss!.data[0]!
      array[at] = held
      const numeric = (above - below) / (2 * step)
      const given = exact[`g${i}`]!.data[at]!
      assert.ok(
        Math.abs(numeric - given) <= tolerance * Math.max(1, Math.abs(numeric)),
        `${name} operand ${i}[${at}]: ${given}, by differences ${numeric}`,
      )
    }
  }
  await session.close()
}

for (const op of Object.keys(rules)) {
  test(`the gradient rule of ${op} agrees with finite differences`, async () => {
    assert.ok(cases[op]?.length, `no case for ${op}`)
    for (const use of cases[op]) await check(use, op)
  })
}
