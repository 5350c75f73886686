import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAlike, type Differentiable, learned } from '../../test/behaviour/learned.ts'
import type { Shape } from '../graph/dim.ts'
import { createGraph, input, type Node, type Value } from '../graph/graph.ts'
import { add, mul, sigmoid } from '../graph/ops/elementwise.ts'
import { gelu } from '../graph/ops/fused.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { concat, split } from '../graph/ops/movement.ts'
import { layerNorm, softmax } from '../graph/ops/normalize.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { lanesTogether } from './lanes-together.ts'

const [tokens, hidden, size] = [10, 12, 3]

/** What a lane makes of its part of x; tensors it asks for are its own, or those of all lanes. */
type Lane = (x: Value, own: (name: string, shape: Shape) => Value, common: (name: string, shape: Shape) => Value, rest: Value) => Value

/** `Σ w ∘ lanes(x)`, and what of x a frozen map makes for all lanes at once. */
function inLanes(lane: Lane, lanes = 2): Differentiable {
  const graph = createGraph()
  const given = (name: string, shape: Shape): Value => graph.inputs.get(name) ?? input(graph, name, 'float32', shape)
  const x = given('x', ['tokens', hidden])
  const rest = split(gemm(x, given('W', [hidden, hidden])), 0, lanes)
  const results = split(x, 0, lanes).map((part, i) => lane(part, (name, shape) => given(`${name}${i}`, shape), given, rest[i]!))
  const loss = reduceSum(mul(concat(results, 0), given('w', [hidden])), { axes: [0, 1] })
  return { graph, loss, inputs: [...graph.inputs.values()].filter(({ name }) => name !== 'W') }
}

const transposeB = true
const forms: Readonly<Record<string, Lane>> = {
  'bottlenecks with a residual': (x, own) => {
    const inner = gelu(gemm(x, own('down', [size, hidden]), own('a', [size]), { transposeB }))
    return add(x, mul(gemm(inner, own('up', [hidden, size]), own('u', [hidden]), { transposeB }), 4))
  },
  'low-rank products added to a frozen one': (x, own, _common, rest) =>
    gemm(gemm(x, own('A', [size, hidden]), null, { transposeB }), own('B', [hidden, size]), rest, { transposeB, alpha: 2 }),
  'a factor that all share, and vectors of their own': (x, own, common) => {
    const inner = mul(gemm(x, common('A', [size, hidden]), common('a', [size]), { transposeB }), own('d', [size]))
    return mul(gemm(mul(inner, sigmoid(inner)), own('B', [size, hidden])), own('scale', []))
  },
  'a norm and a large matrix that all share': (x, own, common, rest) => {
    const normal = layerNorm(add(x, rest), common('gamma', [hidden]), common('beta', [hidden]), 1e-5)
    return add(mul(gemm(normal, common('dense', [hidden, hidden])), own('scale', [hidden])), common('one', [1]))
  },
}

/** Nodes that take rows apart or put them together. */
const partings = (nodes: readonly Node[]): number =>
  nodes.filter(({ op, inputs }) => (op === 'Split' || op === 'Concat') && typeof inputs[0]!.shape[0] === 'string').length

/** A lane as it is and made together with the others: the same numbers, from so many partings. */
async function partingsOf(plain: Differentiable): Promise<{ apart: number; together: number }> {
  const { graph, carry } = lanesTogether(plain.graph)
  const together = await learned({ graph, loss: carry(plain.loss), inputs: plain.inputs.map(carry) }, tokens)
  const apart = await learned(plain, tokens)
  const copies = together.nodes.filter(({ op, inputs }) => op === 'Concat' && inputs.some((value) => /^(dense|W)$/.test(value!.name)))
  assert.equal(copies.length, 0)
  assertAlike(together.results, apart.results)
  return { apart: partings(apart.nodes), together: partings(together.nodes) }
}

for (const [name, lane] of Object.entries(forms))
  test(`lanes at once compute what they compute one by one, and nothing is parted: ${name}`, async () => {
    for (const lanes of [2, 5]) {
      const { apart, together } = await partingsOf(inLanes(lane, lanes))
      assert.ok(apart >= 4, `${apart}`)
      assert.equal(together, 0)
    }
  })

test('lanes that have no such form are made one by one, as they were', async () => {
  const others: Readonly<Record<string, Lane>> = {
    'a norm with vectors of its own': (x, own) => layerNorm(x, own('gamma', [hidden]), own('beta', [hidden]), 1e-5),
    'something of its own for each row': (x, own) => mul(x, own('rows', ['tokens/2', hidden])),
    'a matrix of its own that is added': (x, own) => gemm(x, own('A', [hidden, hidden]), own('C', [1, hidden])),
  }
  for (const lane of Object.values(others)) {
    const { apart, together } = await partingsOf(inLanes(lane))
    assert.equal(together, apart)
  }
})

test('parts in another order are no lanes', async () => {
  const graph = createGraph()
  const x = input(graph, 'x', 'float32', ['tokens', hidden])
  const [first, second] = split(x, 0, 2)
  const w = input(graph, 'w', 'float32', ['tokens', hidden])
  const loss = reduceSum(mul(concat([second!, first!], 0), w), { axes: [0, 1] })
  const { apart, together } = await partingsOf({ graph, loss, inputs: [x, w] })
  assert.equal(together, apart)
})

test('a graph without lanes is not built anew', () => {
  const graph = createGraph()
  softmax(input(graph, 'x', 'float32', ['tokens', hidden]))
  assert.equal(lanesTogether(graph).graph, graph)
})
