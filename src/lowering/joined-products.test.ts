import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backward } from '../autodiff/backward.ts'
import type { Shape } from '../graph/dim.ts'
import { createGraph, external, type Graph, input, output, type Value } from '../graph/graph.ts'
import { add, mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { liveNodes } from '../onnx/live.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { openSession } from '../runtime/node.ts'
import { joinedProducts } from './joined-products.ts'

const [tokens, hidden] = [7, 80]

/** `Σ w ∘ Σ_i (x A_iᵀ)² B_iᵀ`, as adapters at several maps of one input have it; every second A is scaled when its turn comes. */
function adapters(ranks: readonly number[]): { graph: Graph; loss: Value; parameters: readonly Value[] } {
  const graph = createGraph()
  const given = (name: string, shape: Shape): Value => input(graph, name, 'float32', shape)
  const x = given('x', ['tokens', hidden])
  const results = ranks.map((rank, i) => {
    const a = given(`A${i}`, [rank, hidden])
    const inner = gemm(x, i % 2 === 0 ? a : mul(a, given(`E${i}`, [rank, 1])), null, { transposeB: true })
    return gemm(mul(inner, inner), given(`B${i}`, [hidden, rank]), null, { transposeB: true })
  })
  const loss = reduceSum(mul(results.reduce(add), given('w', [hidden])), { axes: [0, 1] })
  return { graph, loss, parameters: [...graph.inputs.values()] }
}

/** The loss and its gradients, and how many nodes of an operator make them. */
async function learned(graph: Graph, loss: Value, parameters: readonly Value[]) {
  const gradients = backward(loss, parameters)
  output(graph, 'loss', loss)
  for (const [i, { name }] of parameters.entries()) output(graph, `gradient of ${name}`, gradients[i]!)
  const feed = ({ name, shape }: Value) => {
    const sizes = shape.map((size) => (typeof size === 'number' ? size : tokens))
    const count = sizes.reduce((product, size) => product * size, 1)
    return { shape: sizes, data: normals(count, keyOf('joined', name), { mean: 0, deviation: 0.3 }) }
  }
  const session = await openSession(graph)
  const results = await session.run(Object.fromEntries(parameters.map((value) => [value.name, feed(value)])))
  await session.close()
  return { results, count: (op: string) => liveNodes(graph).filter((node) => node.op === op).length }
}

test('narrow products of one matrix are one, and so are their gradients: the same numbers', async () => {
  const plain = adapters([3, 5, 8])
  const { graph, carry, places } = joinedProducts(plain.graph)
  for (const [i, { op }] of plain.graph.nodes.entries()) if (!'Gemm Mul'.includes(op)) assert.equal(graph.nodes[places[i]!]!.op, op)
  assert.deepEqual([places.length - 1, places.at(-1)], [plain.graph.nodes.length, graph.nodes.length])

  const joined = await learned(graph, carry(plain.loss), plain.parameters.map(carry))
  const apart = await learned(plain.graph, plain.loss, plain.parameters)
  // Of the products, each of three had its own for x, for A, and forward; of the sums, two were of gradients for x.
  assert.deepEqual([apart.count('Gemm') - joined.count('Gemm'), apart.count('Add') - joined.count('Add')], [6, 2])
  assert.deepEqual(Object.keys(joined.results), Object.keys(apart.results))
  for (const [name, { data }] of Object.entries(apart.results))
    for (const [i, value] of (data as Float32Array).entries()) {
      const found = joined.results[name]!.data[i]!
      assert.ok(Math.abs(found - value) <= 1e-4 * (1 + Math.abs(value)), `${name}[${i}]: ${found} for ${value}`)
    }
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
