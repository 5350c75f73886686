import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSession } from '../../runtime/node.ts'
import { createGraph, input, output } from '../graph.ts'
import { skew } from './movement.ts'

test('skew moves each row one place further to the left', async () => {
  const graph = createGraph()
  input(graph, 'lengths', 'float32', ['length', 3])
  const x = input(graph, 'x', 'float32', ['rows', 'length', 'length+length+3'])
  output(graph, 'y', skew(x, 'length+2'))
  const session = await openSession(graph)
  for (const [rows, length] of [
    [1, 1],
    [2, 3],
  ] as const) {
    const [columns, wide] = [length + 2, 2 * length + 3]
    const data = Float32Array.from({ length: rows * length * wide }, (_, i) => i)
    const lengths = { data: new Float32Array(length * 3), shape: [length, 3] }
    const { y } = await session.run({ lengths, x: { data, shape: [rows, length, wide] } })
    assert.deepEqual(y!.shape, [rows, length, columns])
    const expected = Array.from({ length: rows * length * columns }, (_, at) => {
      const [row, i, j] = [Math.floor(at / (length * columns)), Math.floor(at / columns) % length, at % columns]
      return data[(row * length + i) * wide + j - i + length]!
    })
    assert.deepEqual([...y!.data], expected)
  }
  await session.close()
})
