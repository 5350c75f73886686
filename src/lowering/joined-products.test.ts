import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAlike, type Differentiable, learned } from '../../test/behaviour/learned.ts'
import { part, type Shape } from '../graph/dim.ts'
import { createGraph, external, input, type Value } from '../graph/graph.ts'
import { add, mul } from '../graph/ops/elementwise.ts'
import { batchedMatmul, gemm } from '../graph/ops/matmul.ts'
import { reshape } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { joinedProducts } from './joined-products.ts'

const hidden = 80

/**
 * `Σ w ∘ Σ_i (x A_iᵀ)² B_iᵀ`, as adapters at several maps of one input have it, in some lanes with tensors of their own, or in none; every
 * second A is scaled when its turn comes.
 */
function adapters(ranks: readonly number[], lanes: number | null): Differentiable {
  const graph = createGraph()
  const given = (name: string, shape: Shape): Value => input(graph, name, 'float32', shape)
  const own = (name: string, shape: Shape): Value => given(name, lanes === null ? shape : [lanes, ...shape])
  const product = (a: Value, b: Value): Value =>
    lanes === null ? gemm(a, b, null, { transposeB: true }) : batchedMatmul(a, b, { transposeB: true })
  const rows = given('x', ['tokens', hidden])
  const x = lanes === null ? rows : reshape(rows, [lanes, part('tokens', lanes), hidden])
  const results = ranks.map((rank, i) => {
    const a = own(`A${i}`, [rank, hidden])
    const inner = product(x, i % 2 === 0 ? a : mul(a, own(`E${i}`, [rank, 1])))
    return product(mul(inner, inner), own(`B${i}`, [hidden, rank]))
  })
  const weighed = mul(results.reduce(add), given('w', [hidden]))
  return { graph, loss: reduceSum(weighed, { axes: [...weighed.shape.keys()] }), inputs: [...graph.inputs.values()] }
}

for (const [lanes, op] of [
  [null, 'Gemm'],
  [2, 'FusedMatMul'],
] as const)
  test(`narrow products of one matrix are one, and so are their gradients: the same numbers, by ${op}`, async () => {
    const plain = adapters([3, 5, 8], lanes)
    const { graph, carry, places } = joinedProducts(plain.graph)
    for (const [i, node] of plain.graph.nodes.entries())
      if (node.op !== op && node.op !== 'Mul') assert.equal(graph.nodes[places[i]!]!.op, node.op)
    assert.deepEqual([places.length - 1, places.at(-1)], [plain.graph.nodes.length, graph.nodes.length])

    const joined = await learned({ graph, loss: carry(plain.loss), inputs: plain.inputs.map(carry) }, 8)
    const apart = await learned(plain, 8)
    // Of the products, each of three had its own for x, for A, and forward; of the sums, two were of gradients for x.
    const fewer = (of: string): number => {
      const [before, after] = [apart, joined].map(({ nodes }) => nodes.filter((node) => node.op === of).length)
      return before! - after!
    }
    assert.deepEqual([fewer(op), fewer('Add')], [6, 2])
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
