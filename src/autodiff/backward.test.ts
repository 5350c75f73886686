import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { createGraph, input } from '../graph/graph.ts'
import { add, isNan, mul, stopGradient } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { backward } from './backward.ts'

const vector = (name: string, graph = createGraph('float64')) => input(graph, name, 'float64', [3])

test('the gradients of all uses of a value are added', async () => {
  const { slope } = await compute({ x: operand([1, 2, 3]) }, ({ x }) => ({
    slope: backward(reduceSum(add(mul(x!, x!), mul(x!, 5))), [x!])[0]!,
  }))
  assert.deepEqual(slope, [7, 9, 11])
})

test('a stopped value is a constant', async () => {
  const { slope } = await compute({ x: operand([1, 2, 3]) }, ({ x }) => ({
    slope: backward(reduceSum(mul(x!, stopGradient(mul(x!, x!)))), [x!])[0]!,
  }))
  assert.deepEqual(slope, [1, 4, 9])
})

test('what the loss does not depend on has no gradient', () => {
  const x = vector('x')
  const other = vector('other', x.graph)
  const [used, unused] = backward(reduceSum(x), [x, other])
  assert.ok(used)
  assert.equal(unused, null)
})

test('nothing is computed for frozen operands nor below the lowest trained one', () => {
  const graph = createGraph()
  const matrix = (name: string) => input(graph, name, 'float32', [4, 4])
  const [x, frozen, trained, top] = [matrix('x'), matrix('frozen'), matrix('trained'), matrix('top')]
  const loss = reduceSum(gemm(gemm(gemm(x, frozen), trained), top))
  const forward = graph.nodes.length
  backward(loss, [trained])
  // Through the topmost product to its operand, and the trained matrix: two products.
  assert.equal(graph.nodes.slice(forward).filter(({ op }) => op === 'Gemm').length, 2)
})

test('an operator without a rule is named where a gradient has to pass it', () => {
  const x = vector('x')
  assert.throws(() => backward(mul(x, 2), [x]), /only a scalar has a gradient, not \[3\]/)
  const flags = isNan(reduceSum(x))
  assert.throws(() => backward(flags, [x]), /IsNaN has no gradient rule/)
})
