import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constant, createGraph, type Graph, input, output } from '../graph/graph.ts'
import { addAll } from '../graph/ops/elementwise.ts'
import { scatterRows } from '../graph/ops/indexing.ts'
import { batchedMatmul } from '../graph/ops/matmul.ts'
import { split } from '../graph/ops/movement.ts'
import { logSoftmax, rootMeanSquareNorm } from '../graph/ops/normalize.ts'
import { lacking, mostParts } from '../onnx/devices.ts'
import { liveNodes } from '../onnx/live.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { openSession } from '../runtime/node.ts'
import type { Feeds, Tensor } from '../runtime/session.ts'
import { inFormsOf } from './device-forms.ts'

const sizes: Readonly<Record<string, readonly number[]>> = { a: [2, 3, 4], b: [2, 4, 5], at: [2, 4, 3], bt: [2, 5, 4] }

/** Every operator that a device lacks, in all the ways in which graphs have it. */
function lacked(): Graph {
  const graph = createGraph()
  const [a, b, at, bt] = Object.entries(sizes).map(([name, [, rows, columns]]) => input(graph, name, 'float32', ['batch', rows!, columns!]))
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      for (const alpha of [1, 0.3]) {
        const product = batchedMatmul(transposeA ? at! : a!, transposeB ? bt! : b!, { transposeA, transposeB, alpha })
        output(graph, `product ${transposeA} ${transposeB} ${alpha}`, product)
      }
    }
  }
  output(graph, 'logarithms', logSoftmax(a!))
  const normal = rootMeanSquareNorm(a!, constant(graph, [1, 2, 3, 4], [4], 'float32'), 1e-5)
  output(graph, 'normal', normal)
  if (normal.source.kind === 'node') output(graph, 'inverse', normal.source.node.outputs[1]!)
  output(graph, 'sum', addAll([a!, a!, a!]))
  const wide = input(graph, 'wide', 'float32', [10, 3])
  for (const parts of [10, [1, 1, 1, 1, 1, 2, 1, 2], [4, 6]])
    for (const [i, part] of split(wide, 0, parts).entries()) output(graph, `part ${i} of ${parts}`, part)
  const rows = constant(graph, [4, 0], [2], 'int64')
  output(graph, 'scattered', scatterRows(6, rows, a!))
  return graph
}

function feeds(): Feeds {
  const tensor = (name: string, shape: readonly number[]): Tensor => {
    const data = normals(
      shape.reduce((n, size) => n * size, 1),
      keyOf('forms', name),
      { mean: 0, deviation: 1 },
    )
    // A softmax whose exponentials would overflow.
    if (name === 'a') data.set([500, 400, -500], 0)
    return { data, shape }
  }
  return Object.fromEntries(Object.entries({ ...sizes, wide: [10, 3] }).map(([name, shape]) => [name, tensor(name, shape)]))
}

async function results(graph: Graph): Promise<Readonly<Record<string, Tensor>>> {
  const session = await openSession(graph)
  const found = await session.run(feeds())
  await session.close()
  return found
}

test('what a device lacks is made of other operators, which compute the same', async () => {
  const graph = lacked()
  const other = inFormsOf('webgpu', graph)
  const ops = new Set(liveNodes(graph).map(({ op }) => op))
  for (const op of lacking.webgpu) assert.ok(ops.has(op), op)
  for (const { op, outputs } of liveNodes(other)) {
    assert.ok(!lacking.webgpu.has(op), op)
    assert.ok(outputs.length <= mostParts.webgpu, op)
  }
  const [exact, found] = [await results(graph), await results(other)]
  for (const [name, { data, shape }] of Object.entries(exact)) {
    assert.deepEqual(found[name]!.shape, shape, name)
    found[name]!.data.forEach((value, i) => {
      assert.ok(Math.abs(value - data[i]!) <= 2e-6 * Math.max(1, Math.abs(data[i]!)), `${name}[${i}]: ${value}, expected ${data[i]}`)
    })
  }
})

test('a graph for the processor stays as it is', () => {
  const graph = lacked()
  assert.equal(inFormsOf('cpu', graph), graph)
})
