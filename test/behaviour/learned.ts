import assert from 'node:assert/strict'
import { backward } from '../../src/autodiff/backward.ts'
import { evaluate } from '../../src/graph/dim.ts'
import { type Graph, output, type Value } from '../../src/graph/graph.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { openSession } from '../../src/runtime/node.ts'
import type { Feeds } from '../../src/runtime/session.ts'

/** A loss that is still to be differentiated. */
export interface Differentiable {
  readonly graph: Graph
  readonly loss: Value
  /** What has a gradient. */
  readonly inputs: readonly Value[]
}

/** The loss and its gradients at random numbers, and the nodes that make them; so many `tokens`. */
export async function learned({ graph, loss, inputs }: Differentiable, tokens: number) {
  const gradients = backward(loss, inputs)
  output(graph, 'loss', loss)
  for (const [i, { name }] of inputs.entries()) output(graph, `gradient of ${name}`, gradients[i]!)
  const feed = ({ name, shape }: Value): Feeds[string] => {
    const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : evaluate(dim, { tokens })))
    const count = sizes.reduce((product, each) => product * each, 1)
    return { shape: sizes, data: normals(count, keyOf('learned', name), { mean: 0, deviation: 0.3 }) }
  }
  const session = await openSession(graph)
  const results = await session.run(Object.fromEntries([...graph.inputs].map(([name, value]) => [name, feed(value)])))
  await session.close()
  return { results, nodes: liveNodes(graph) }
}

/** The same outputs with the same numbers, as far as another order of sums lets them be. */
export function assertAlike(found: Feeds, expected: Feeds): void {
  assert.deepEqual(Object.keys(found), Object.keys(expected))
  for (const [name, { data }] of Object.entries(expected))
    for (const [i, value] of (data as Float32Array).entries()) {
      const other = found[name]!.data[i] as number
      assert.ok(Math.abs(other - value) <= 1e-4 * (1 + Math.abs(value)), `${name}[${i}]: ${other} for ${value}`)
    }
}
