import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stepFeeds } from '../../test/behaviour/step-feeds.ts'
import { type Prepared, prepare, rows, stepOptions, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { createGraph, type Graph, input, type Node, output } from '../graph/graph.ts'
import { add, mul, relu, sub } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reshape } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { adalora } from '../methods/adalora.ts'
import { full } from '../methods/full.ts'
import { lora } from '../methods/lora.ts'
import { openSession } from '../runtime/node.ts'
import type { Feeds } from '../runtime/session.ts'
import { FIRST_OUTPUT } from '../runtime/uncopied.ts'
import { buildStepGraph, type StepGraphOptions } from '../train/step-graph.ts'
import { assertAliasesSafe, executionOrder, peakBytes } from './order.ts'

const nameOf = (node: Node): string => node.outputs.find((value) => value)!.name

interface Orders {
  readonly ran: string[]
  readonly foretold: string[]
}

/** The names of the nodes of a training step's graphs in the order in which ONNX Runtime ran them, and in the order foretold. */
async function orders({ subject, method, state }: Prepared, changes: Partial<StepGraphOptions>): Promise<Orders[]> {
  const options = stepOptions(method, changes)
  const step = buildStepGraph(subject, state, options)
  const feeds = stepFeeds(subject, step, options, state, rows)
  const found: Orders[] = []
  for (const graph of [step.engine, ...(step.update ? [step.update] : [])]) found.push(await ordersOf(graph, feeds))
  return found
}

async function ordersOf(graph: Graph, feeds: Feeds): Promise<Orders> {
  const folder = temporaryFolder()
  const session = await openSession(graph, { profile: join(folder, 'profile') })
  await session.run(feeds)
  await session.close()
  const [file] = readdirSync(folder)
  const events = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as { cat: string; name: string; ts: number }[]
  const ran = events
    .filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
    .sort((a, b) => a.ts - b.ts)
    .map(({ name }) => name.replace(/_kernel_time$/, ''))
    .filter((name) => name !== FIRST_OUTPUT)
  return { ran, foretold: executionOrder(graph).map(nameOf) }
}

const dropping = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.2 }
const cases = {
  'a LoRA step': () => ({ prepared: prepare(tinySubject(dropping), lora, { dropout: 0.1 }), changes: { maxGradNorm: 1 } }),
  'a LoRA step whose layers are made again': () => ({
    prepared: prepare(tinySubject(dropping), lora, { dropout: 0.1, targets: 'all-linear' }),
    changes: { maxGradNorm: 1, recompute: 1 },
  }),
  'a step of full fine-tuning with accumulation': () => ({ prepared: prepare(tinySubject(dropping), full), changes: { accumulate: 2 } }),
  'an AdaLoRA step': () => ({
    prepared: prepare(tinySubject(dropping), adalora, { initR: 3, targetR: 2, tInit: 1, tFinal: 1 }),
    changes: {},
  }),
}
for (const [name, make] of Object.entries(cases)) {
  test(`ONNX Runtime runs the nodes of ${name} in the order foretold`, async () => {
    const { prepared, changes } = make()
    for (const { ran, foretold } of await orders(prepared, changes)) {
      const seen = new Set(ran)
      assert.equal(seen.size, ran.length)
      assert.ok(ran.length > 0.98 * foretold.length, `${ran.length} of ${foretold.length} nodes in the profile`)
      assert.deepEqual(
        ran,
        foretold.filter((node) => seen.has(node)),
      )
    }
  })
}

test('an in-place update before a later reader is refused', () => {
  const graph = createGraph()
  const weight = input(graph, 'weight', 'float32', [2])
  const x = input(graph, 'x', 'float32', [2])
  output(graph, 'weight=', sub(weight, x), 'weight')
  output(graph, 'product', mul(weight, x))
  assert.throws(() => assertAliasesSafe(graph), /Mul would read "weight" after "weight=" has overwritten it/)
})

test('an in-place update that needs the result of every reader is allowed', () => {
  const graph = createGraph()
  const weight = input(graph, 'weight', 'float32', [2])
  const x = input(graph, 'x', 'float32', [2])
  const product = mul(weight, x)
  output(graph, 'weight=', sub(weight, reduceSum(product)), 'weight')
  output(graph, 'product', product)
  assertAliasesSafe(graph)
})

test('an aliased output must be computed', () => {
  const graph = createGraph()
  const weight = input(graph, 'weight', 'float32', [2])
  output(graph, 'same', relu(input(graph, 'x', 'float32', [2])))
  graph.outputs.set('weight=', weight)
  graph.aliases.set('weight=', 'weight')
  assert.throws(() => assertAliasesSafe(graph), /"weight=" is not computed/)
})

test('the foretold peak of a small graph is the sum of what is alive at the worst node', () => {
  const graph = createGraph()
  const x = input(graph, 'x', 'float32', ['tokens', 4])
  const wide = gemm(x, input(graph, 'up', 'float32', [4, 10]))
  const active = relu(wide)
  const squared = reshape(mul(active, active), [10, 'tokens'])
  output(graph, 'sum', reduceSum(add(squared, squared)))
  // With three tokens a wide tensor has 120 bytes: `active` and its square are alive at once, then the square and its double.
  assert.equal(peakBytes(graph, { tokens: 3 }), 240)
  output(graph, 'wide', wide)
  // Now `wide` stays: a third one.
  assert.equal(peakBytes(graph, { tokens: 3 }), 360)
})

test('an aliased output takes no memory of its own', () => {
  const build = (into?: string): number => {
    const graph = createGraph()
    output(graph, 'next', mul(input(graph, 'state', 'float32', [100]), 2), into)
    return peakBytes(graph, {})
  }
  assert.equal(build(), 400)
  assert.equal(build('state'), 0)
})

test('weight gradients are made and squared all along the backward pass, so that activations need not wait for its end', () => {
  /** Where between the loss and the norm the first square is taken, from 0 to 1; `reversed` takes that of the lowest weight first. */
  const first = (reversed: boolean): number => {
    const { subject, method, state } = prepare(tinySubject({ num_hidden_layers: 6 }), full)
    const { engine: graph } = buildStepGraph(subject, state, stepOptions(method))
    if (reversed) {
      const squares = graph.nodes.filter(({ op }) => op === 'ReduceSumSquare')
      const places = squares.map((node) => graph.nodes.indexOf(node))
      places.forEach((place, i) => {
        graph.nodes[place] = squares.at(-1 - i)!
      })
    }
    const order = executionOrder(graph)
    const at = (wanted: string): number => order.findIndex(({ op }) => op === wanted)
    return (at('ReduceSumSquare') - at('LogSoftmax')) / (at('Sum') - at('LogSoftmax'))
  }
  assert.ok(first(false) < 0.1, String(first(false)))
  assert.ok(first(true) > 0.5, String(first(true)))
})
