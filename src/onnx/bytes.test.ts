import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGraph, external, input, output } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { gather } from '../graph/ops/movement.ts'
import { frozenBytes } from './bytes.ts'

test('packed, each product has a copy of its matrix, and matrices that nothing else reads are let go', () => {
  const graph = createGraph()
  const ids = input(graph, 'ids', 'int64', ['tokens'])
  const words = external(graph, 'words', [50, 4], null)
  const weight = external(graph, 'weight', [6, 4], null)
  const bias = external(graph, 'bias', [6], null)
  const x = gather(words, ids)
  const forth = gemm(x, weight, bias, { transposeB: true })
  const back = gemm(forth, weight)
  output(graph, 'logits', gemm(back, words, null, { transposeB: true }))
  gemm(x, external(graph, 'unread', [4, 9], null))
  const [table, matrix] = [50 * 4, 6 * 4]
  assert.deepEqual(frozenBytes(graph), { mapped: 4 * (table + matrix + 6), copies: 4 * (2 * matrix + table), letGo: 4 * matrix })
})
