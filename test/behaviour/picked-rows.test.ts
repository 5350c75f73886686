import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backward } from '../../src/autodiff/backward.ts'
import { flopCounter } from '../../src/graph/flops.ts'
import { createGraph, input, output, type Value } from '../../src/graph/graph.ts'
import { add, mul, tanh } from '../../src/graph/ops/elementwise.ts'
import { gemm } from '../../src/graph/ops/matmul.ts'
import { concat, gather, reshape, split } from '../../src/graph/ops/movement.ts'
import { layerNorm } from '../../src/graph/ops/normalize.ts'
import { reduceSum } from '../../src/graph/ops/reduction.ts'
import { pickedRows } from '../../src/graph/picked-rows.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { openSession } from '../../src/runtime/node.ts'

const [TOKENS, WIDTH] = [12, 4]
const picks = [1, 5, 7, 8]

interface Parts {
  readonly x: Value
  readonly weight: Value
  readonly bias: Value
}

/** Layers of row-wise nodes over [tokens, width]; with two lanes, one of them takes the halves apart. */
const layers: Readonly<Record<string, (parts: Parts) => Value>> = {
  'products, norms and residuals': ({ x, weight, bias }) => {
    const h = tanh(gemm(x, weight, bias, { transposeB: true }))
    const wide = reshape(concat([h, mul(h, x)], 1), ['tokens', 2, WIDTH])
    const [left, right] = split(reshape(wide, ['tokens', 2 * WIDTH]), 1, 2)
    return layerNorm(add(x, gemm(left!, weight, right!)), bias, bias, 1e-5)
  },
  'lanes with weights of their own': ({ x, weight, bias }) => {
    const base = split(gemm(x, weight), 0, 2)
    const lanes = split(tanh(x), 0, 2).map((lane, i) => gemm(lane, weight, i === 0 ? base[i]! : mul(base[i]!, 3), { alpha: i + 1 }))
    return add(concat(lanes, 0), mul(x, bias))
  },
  'lanes that read a tensor as a whole': ({ x, weight, bias }) => {
    // Tokens meet before the lanes part.
    const met = gemm(x, gemm(x, x, null, { transposeA: true }))
    return concat(
      split(met, 0, 2).map((lane) => mul(gemm(tanh(lane), weight), bias)),
      0,
    )
  },
}

/** Result, gradients and operations of a loss over the picked rows. */
async function measured(build: (parts: Parts) => Value, pick: (x: Value, index: Value) => Value) {
  const graph = createGraph()
  const x = input(graph, 'x', 'float32', ['tokens', WIDTH])
  const [weight, bias] = [input(graph, 'weight', 'float32', [WIDTH, WIDTH]), input(graph, 'bias', 'float32', [WIDTH])]
  const index = input(graph, 'index', 'int32', ['rows'])
  const rows = pick(build({ x, weight, bias }), index)
  const loss = reduceSum(mul(rows, mul(rows, rows)))
  const named = { rows, ...Object.fromEntries(backward(loss, [x, weight, bias]).map((value, i) => [`gradient ${i}`, value!])) }
  for (const [name, value] of Object.entries(named)) output(graph, name, value)
  const numbers = (shape: number[], from: number) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(from + 1.7 * i)),
  })
  const session = await openSession(graph)
  const results = await session.run({
    x: numbers([TOKENS, WIDTH], 0),
    weight: numbers([WIDTH, WIDTH], 1),
    bias: numbers([WIDTH], 2),
    index: { shape: [picks.length], data: Int32Array.from(picks) },
  })
  await session.close()
  const flops = flopCounter(liveNodes(graph))({ tokens: TOKENS, rows: picks.length })
  return { flops, results: Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data)])) }
}

for (const [name, build] of Object.entries(layers)) {
  test(`rows that are made alone equal those of the whole, gradients too: ${name}`, async () => {
    const whole = await measured(build, gather)
    const alone = await measured(build, (x, index) => pickedRows(x, { index, of: (value) => gather(value, index), lanes: 2 }))
    for (const [result, values] of Object.entries(whole.results)) {
      for (const [i, value] of values.entries()) {
        assert.ok(
          Math.abs(alone.results[result]![i]! - value) < 1e-4 * (1 + Math.abs(value)),
          `${result}: ${alone.results[result]![i]} ${value}`,
        )
      }
    }
    assert.ok(alone.flops < whole.flops, `${alone.flops} operations of ${whole.flops}`)
  })
}

test('what something else reads is made once, for all rows', async () => {
  const build = ({ x, weight, bias }: Parts): Value => {
    const h = gemm(x, weight)
    return add(mul(h, bias), reduceSum(h))
  }
  const [whole, alone] = [
    await measured(build, gather),
    await measured(build, (x, index) => pickedRows(x, { index, of: (value) => gather(value, index), lanes: 1 })),
  ]
  assert.equal(alone.flops, whole.flops)
})
