import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGraph, type Graph, input, output } from '../graph/graph.ts'
import { add, greater, mul } from '../graph/ops/elementwise.ts'
import { gather } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { openSession } from './node.ts'

const SIZE = 2 ** 22

/** Doubles a tensor, in its own memory or not, and tells two results besides. */
function doubling(inPlace: boolean): Graph {
  const graph = createGraph()
  const x = input(graph, 'x', 'float32', [SIZE])
  const sum = reduceSum(x)
  output(graph, 'sum', sum)
  output(graph, 'positive', greater(sum, 0))
  output(graph, 'x=', mul(add(x, mul(sum, 0)), 2), inPlace ? 'x' : undefined)
  return graph
}

for (const inPlace of [true, false]) {
  test(`an output ${inPlace ? 'that is written where it was fed is not copied' : 'of its own is returned'}`, async () => {
    const session = await openSession(doubling(inPlace))
    const x = { data: new Float32Array(SIZE).fill(0.5), shape: [SIZE] }
    const before = process.memoryUsage().arrayBuffers
    const results = await session.run({ x })
    const copies = (process.memoryUsage().arrayBuffers - before) / x.data.byteLength
    await session.close()
    assert.deepEqual([results.sum!.data[0], results.sum!.shape, results.positive!.data[0]], [SIZE / 2, [], 1])
    assert.ok(inPlace ? copies < 0.1 : copies > 0.9, `${copies} copies`)
    assert.deepEqual(Object.keys(results), inPlace ? ['sum', 'positive'] : ['sum', 'positive', 'x='])
    assert.ok((inPlace ? x : results['x=']!).data.every((value) => value === 1))
  })
}

test('a run that fails while it writes in place tells why', async () => {
  const graph = createGraph()
  const x = input(graph, 'x', 'float32', [2])
  const at = input(graph, 'at', 'int32', [2])
  output(graph, 'x=', gather(x, at), 'x')
  const session = await openSession(graph)
  const feeds = { x: { data: Float32Array.of(1, 2), shape: [2] }, at: { data: Int32Array.of(0, 7), shape: [2] } }
  await assert.rejects(session.run(feeds), /indices element out of data bounds, idx=7/)
  await session.close()
})

test('besides what is written in place, only outputs of known size can be told', async () => {
  const graph = createGraph()
  const x = input(graph, 'x', 'float32', ['rows'])
  output(graph, 'sum', reduceSum(x))
  output(graph, 'twice', mul(x, 2))
  output(graph, 'x=', mul(x, 3), 'x')
  await assert.rejects(openSession(graph), /unknown size, "[^"]*Mul[^"]*" \[rows\]/)
})

test('a number of threads that there cannot be is refused', async () => {
  for (const threads of [0, -1, 0.5, Number.NaN])
    await assert.rejects(openSession(doubling(false), { threads }), {
      name: 'UserError',
      message: /threads is .*; expected a whole number/,
    })
})
