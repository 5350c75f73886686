import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAlike, type Differentiable, learned } from '../../test/behaviour/learned.ts'
import type { Shape } from '../graph/dim.ts'
import { createGraph, external, input, type Value } from '../graph/graph.ts'
import { add, mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { joinedProducts } from './joined-products.ts'

const hidden = 80

/** `Σ w ∘ Σ_i (x A_iᵀ)² B_iᵀ`, as adapters at several maps of one input have it; every second A is scaled when its turn comes. */
function adapters(ranks: readonly number[]): Differentiable {
  const graph = createGraph()
  const given = (name: string, shape: Shape): Value => input(graph, name, 'float32', shape)
  const x = given('x', ['tokens', hidden])
  const results = ranks.map((rank, i) => {
    const a = given(`A${i}`, [rank, hidden])
    const inner = gemm(x, i % 2 === 0 ? a : mul(a, given(`E${i}`, [rank, 1])), null, { transposeB: true })
    return gemm(mul(inner, inner), given(`B${i}`, [hidden, rank]), null, { transposeB: true })
  })
  const loss = reduceSum(mul(results.reduce(add), given('w', [hidden])), { axes: [0, 1] })
  return { graph, loss, inputs: [...graph.inputs.values()] }
}

test('narrow products of one matrix are one, and so are their gradients: the same numbers', async () => {
  const plain = adapters([3, 5, 8])
  const { graph, carry, places } = joinedProducts(plain.graph)
  for (const [i, { op }] of plain.graph.nodes.entries()) if (!'Gemm Mul'.includes(op)) assert.equal(graph.nodes[places[i]!]!.op, op)
  assert.deepEqual([places.length - 1, places.at(-1)], [plain.graph.nodes.length, graph.nodes.length])

  const joined = await learned({ graph, loss: carry(plain.loss), inputs: plain.inputs.map(carry) }, 7)
  const apart = await learned(plain, 7)
  // Of the products, each of three had its own for x, for A, and forward; of the sums, two were of gradients for x.
  const fewer = (op: string): number => {
    const [before, after] = [apart, joined].map(({ nodes }) => nodes.filter((node) => node.op === op).length)
    return before! - after!
  }
  assert.deepEqual([fewer('Gemm'), fewer('Add')], [6, 2])
  assertAlike(joined.results, apart.results)
})

test('products that are wide, alone, of frozen matrices or of what a batch makes stay as they are', () => {
  const graph = createGraph()
  const given = (name: string, shape: Shape): Value => input(graph, name, 'float32', shape)
  const [x, y] = [given('x', ['tokens', hidden]), given('y', ['tokens', hidden])]
  const narrow = [4, hidden] as const
  const product = (left: Value, right: Value, added: Value | null = null): Value => gemm(left, right, added, { transposeB: true })
  product(x, given('A', narrow))
  product(x, given('wide', [64, hidden]))
  product(x, external(graph, 'frozen', narrow, null))
  product(x, given('with a bias', narrow), given('bias', [4]))
  product(y, given('of another matrix', narrow))
  gemm(x, given('upright', [hidden, 4]))
  product(x, mul(given('made of the batch', narrow), reduceSum(y, { axes: [0] })))
  assert.equal(joinedProducts(graph).graph, graph)
})
