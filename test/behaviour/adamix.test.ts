import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assemble, outline, type Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { type State, trainedIn } from '../../src/evaluate/state.ts'
import { input } from '../../src/graph/graph.ts'
import { mul } from '../../src/graph/ops/elementwise.ts'
import { reduceSum } from '../../src/graph/ops/reduction.ts'
import type { Head } from '../../src/heads/head.ts'
import { adamix } from '../../src/methods/adamix.ts'
import { bottleneck } from '../../src/methods/bottleneck.ts'
import { head } from '../../src/methods/head.ts'
import { lora } from '../../src/methods/lora.ts'
import type { Method, Tensor } from '../../src/nn/method.ts'
import { firstMoment, secondMoment } from '../../src/train/state-update.ts'
import { openStep } from '../../src/train/step.ts'
import type { StepGraphOptions } from '../../src/train/step-graph.ts'
import {
  assertNear,
  assertSameBits,
  bareSubject,
  copyOf,
  disturb,
  labels,
  prepare,
  rows,
  settingOf,
  stepOptions,
  temporaryFolder,
  tinySubject,
} from './tiny-model.ts'

const subject = tinySubject()
const adapter = { name: 'bottleneck', variant: 'ffn-output', size: 4 }
const places = ['bert.encoder.layer.0.output.dense', 'bert.encoder.layer.1.output.dense']

/** A file of routes: the expert of each pass, the same at every site and step. */
function routes(experts: readonly number[], groups: readonly string[] = places, role = 'down'): { name: 'replay'; file: string } {
  const file = join(temporaryFolder(), 'routes.json')
  const step = experts.map((expert) => Object.fromEntries(groups.map((group) => [group, { [role]: expert }])))
  writeFileSync(file, JSON.stringify([step, step, step]))
  return { name: 'replay', file }
}

async function logitsOf(of: Subject, method: Method, state: ReadonlyMap<string, Tensor>): Promise<Float32Array[]> {
  const forward = await openForward(of, method, state, { batchSize: 6 })
  const logits = await forward.logits(rows, state)
  await forward.close()
  return logits
}

async function update(of: Subject, method: Method, state: State, changes: Partial<StepGraphOptions> = {}, rate = 0, steps = 1) {
  const step = await openStep(of, state, stepOptions(method, changes))
  const results = []
  for (let i = 0; i < steps; i++) results.push(await step.run([rows], { seed: 1, step: i }, rate))
  await step.close()
  return results[0]!
}

/** The gradient that the last and only update has seen. */
const gradientOf = (state: State, name: string): number[] => Array.from(state.get(firstMoment(name))!.data, (value) => value / (1 - 0.9))

/** The state of the plain method that one expert of each stack makes. */
function expertOf(state: State, expert: number): State {
  return new Map(
    [...state].map(([name, { shape, data }]) => {
      if (!places.some((place) => name.startsWith(`${place}.`)) || name.includes('@')) return [name, { shape, data }]
      const size = data.length / shape[0]!
      const at = shape[0] === 1 ? 0 : expert
      return [name, { shape: shape.slice(1), data: data.slice(at * size, (at + 1) * size) }]
    }),
  )
}

for (const [name, plain] of Object.entries({
  bottleneck: { definition: bottleneck, of: adapter },
  lora: { definition: lora, of: { name: 'lora', r: 3 } },
})) {
  test(`a mixture of one ${name} is the plain method, bit for bit`, async () => {
    const one = prepare(subject, adamix, { of: plain.of, experts: 1, consistency: 0 })
    const alone = prepare(subject, plain.definition, plain.of)
    assertSameBits(one.state, alone.state)
    const [mixed, simple] = [
      await update(subject, one.method, one.state, { maxGradNorm: 1 }, 0.01, 3),
      await update(subject, alone.method, alone.state, { maxGradNorm: 1 }, 0.01, 3),
    ]
    assert.equal(mixed.loss, simple.loss)
    assertSameBits(one.state, alone.state)
  })

  test(`two passes through one ${name} without dropout agree, so that consistency adds nothing`, async () => {
    const one = prepare(subject, adamix, { of: plain.of, experts: 1, consistency: 5 })
    const alone = prepare(subject, plain.definition, plain.of)
    for (const { state } of [one, alone]) disturb(state, /(B|up)\.weight$/)
    const [mixed, simple] = [await update(subject, one.method, one.state), await update(subject, alone.method, alone.state)]
    assert.ok(Math.abs(mixed.consistency) < 1e-7)
    assertNear([mixed.loss], [simple.loss], 1e-6)
    for (const key of alone.state.keys()) assertNear(one.state.get(key)!.data, alone.state.get(key)!.data, 1e-6, key)
  })
}

const large = {
  model_type: 'roberta',
  hidden_size: 1024,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  intermediate_size: 4096,
  vocab_size: 50265,
  type_vocab_size: 1,
  max_position_embeddings: 514,
}
const base = {
  model_type: 'bert',
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  vocab_size: 30522,
  max_position_embeddings: 512,
}
const counts: [string, Record<string, unknown>, Record<string, unknown>, number, number][] = [
  ['RoBERTa-large, bottleneck 16', large, { of: { ...adapter, size: 16 }, experts: 4 }, 1_992_192, 811_392],
  ['BERT-base, bottleneck 48', base, { of: { ...adapter, size: 48 }, experts: 4 }, 2_223_360, 894_528],
  ['a model of width 1024, LoRA of rank 4', large, { of: { name: 'lora', r: 4 }, experts: 8 }, 1_769_472, 393_216],
]
for (const [name, config, options, trained, merged] of counts) {
  test(`the paper's sizes: ${name}`, () => {
    const bare = bareSubject(config)
    const { sites } = outline(bare)
    const method = adamix.create(adamix.options.parse({ name: 'adamix', ...options }), settingOf(bare))
    const weights = (of: Method): number =>
      sites.flatMap((site) => Object.values(of.parameters(site))).reduce((sum, { shape }) => sum + shape.reduce((n, dim) => n * dim, 1), 0)
    assert.equal(weights(method), trained)
    assert.equal(weights(method.deploy!(new Map()).method), merged)
  })
}

test('query and value of an attention share their draw, layers and passes do not', () => {
  const { method } = prepare(subject, adamix, { of: { name: 'lora', r: 2 } })
  assert.deepEqual(
    method.controls!.map(({ shape }) => shape),
    [[2 * 2, 4]],
  )
  const both = prepare(subject, adamix, { of: { name: 'lora', r: 2 }, share: [] })
  assert.deepEqual(
    both.method.controls!.map(({ shape }) => shape),
    [[2 * 2 * 2, 4]],
  )
})

test('each row of routes has a single one, and routes are a pure function of the moment', () => {
  const [one, two] = [prepare(subject, adamix), prepare(subject, adamix)]
  const seen = new Set<string>()
  for (let step = 0; step < 20; step++) {
    const moment = { seed: 5, step, microBatch: 0, rows: 12 }
    const { data } = one.method.feed!(moment)['mixture.routes']!
    assert.deepEqual(two.method.feed!(moment)['mixture.routes']!.data, data)
    for (let row = 0; row < 4; row++) assert.deepEqual([...data.subarray(4 * row, 4 * row + 4)].sort(), [0, 0, 0, 1])
    seen.add(data.join())
  }
  assert.ok(seen.size > 10)
})

test('a role that the wrapped method lacks cannot be shared', () => {
  assert.throws(() => prepare(subject, adamix, { share: ['sideways'] }), /"sideways" is no role of bottleneck; it has down, up/)
})

test('experts start apart, as normal draws of deviation 0.02 with zero biases; the first one as the plain method does', () => {
  const wide = tinySubject({ hidden_size: 256 })
  const { state, method } = prepare(wide, adamix, { of: { ...adapter, size: 64 } })
  const plain = prepare(wide, bottleneck, { ...adapter, size: 64 }).state
  const deviation = (data: Float32Array): number => Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length)
  for (const place of places) {
    const { data, shape } = state.get(`${place}.down.weight`)!
    const size = data.length / 4
    assert.deepEqual(shape, [4, 64, 256])
    assert.ok(Math.abs(deviation(data) / 0.02 - 1) < 0.05)
    assert.deepEqual(data.slice(0, size), plain.get(`${place}.down.weight`)!.data)
    assert.deepEqual(state.get(`${place}.up.weight`)!.data, plain.get(`${place}.up.weight`)!.data)
    const experts = [0, 1, 2, 3].map((k) => data.slice(k * size, (k + 1) * size).join())
    assert.equal(new Set(experts).size, 4)
    for (const role of ['down', 'up']) assert.ok(state.get(`${place}.${role}.bias`)!.data.every((value) => value === 0))
    const mean = method.deploy!(state).state.get(`${place}.down.weight`)!.data
    assert.ok(Math.abs(deviation(mean) / 0.01 - 1) < 0.05)
  }
})

test('the loss counts the cross-entropy of the first pass once and the weighted divergence of both', async () => {
  const options = { of: adapter, experts: 2, consistency: 100, routing: routes([0, 1]) }
  const { method, state } = prepare(subject, adamix, options)
  disturb(state, /(down|up)\.(weight|bias)$/)
  const inner = method.deploy!(state).method
  const [first, second] = [await logitsOf(subject, inner, expertOf(state, 0)), await logitsOf(subject, inner, expertOf(state, 1))]
  const logSoftmax = (z: ArrayLike<number>): number[] =>
    Array.from(z, (value) => value - Math.log(Array.from(z).reduce((sum, other) => sum + Math.exp(other), 0)))
  const mean = (of: (row: number) => number): number => rows.reduce((sum, _, row) => sum + of(row), 0) / rows.length
  const task = mean((row) => -logSoftmax(first[row]!)[rows[row]!.label as number]!)
  const divergence = mean((row) => {
    const [p, q] = [logSoftmax(first[row]!), logSoftmax(second[row]!)]
    return p.reduce((sum, _, k) => sum + 0.5 * (Math.exp(p[k]!) - Math.exp(q[k]!)) * (p[k]! - q[k]!), 0)
  })
  const result = await update(subject, method, state)
  assert.ok(divergence > 1e-3, 'the passes differ')
  assertNear([result.taskLoss, result.consistency, result.loss], [task, divergence, task + 100 * divergence], 2e-5)
})

test('without weight on consistency the second pass has no gradient', async () => {
  const { method, state } = prepare(subject, adamix, { of: adapter, experts: 2, routing: routes([0, 1]) })
  disturb(state, /(down|up)\.(weight|bias)$/)
  for (const weight of [0, 1]) {
    const own = copyOf(state)
    await update(subject, method, own, {
      objective: { passes: 2, consistency: { ...method.consistency!, weight }, labelSmoothing: 0, classWeights: null },
    })
    for (const place of places) {
      const gradient = gradientOf(own, `${place}.down.weight`)
      const of = (expert: number): number[] => gradient.slice((expert * gradient.length) / 2, ((expert + 1) * gradient.length) / 2)
      assert.ok(of(0).every((value) => value !== 0))
      assert.equal(
        of(1).some((value) => value !== 0),
        weight > 0,
      )
    }
  }
})

/** A head whose loss is the sum of logits times given numbers: its gradients are those of a pass for given gradients of its logits. */
const linearHead = (cotangents: readonly (readonly number[])[]): Head => ({
  ...subject.head,
  loss: ({ graph }, logits) => ({
    task: reduceSum(mul(logits, input(graph, 'cotangents', graph.float, ['rows', labels]))),
    consistency: null,
  }),
  targets: (examples) => ({
    feeds: { cotangents: { data: Float32Array.from(cotangents.flat()), shape: [examples.length, labels] } },
    weight: 1,
    count: 1,
  }),
})

test('two passes as one batch have the gradients of two separate passes', async () => {
  const { method, state } = prepare(subject, adamix, { of: adapter, experts: 3, consistency: 2, routing: routes([2, 0]) })
  disturb(state, /(down|up)\.(weight|bias)$/)
  const inner = method.deploy!(state).method
  const passes = [2, 0]
  const softmax = (z: Float32Array): number[] =>
    Array.from(z, (value) => Math.exp(value) / z.reduce((sum, other) => sum + Math.exp(other), 0))
  const [p, q] = (await Promise.all(passes.map((expert) => logitsOf(subject, inner, expertOf(state, expert))))).map((logits) =>
    logits.map(softmax),
  )
  const cotangents = [
    p!.map((row, i) => row.map((value, k) => (value - (rows[i]!.label === k ? 1 : 0) + 2 * 0.5 * (value - q![i]![k]!)) / rows.length)),
    q!.map((row, i) => row.map((value, k) => (2 * 0.5 * (value - p![i]![k]!)) / rows.length)),
  ]
  const separate: State[] = []
  for (const [pass, expert] of passes.entries()) {
    const own = copyOf(expertOf(state, expert))
    await update({ ...subject, head: linearHead(cotangents[pass]!) }, inner, own)
    separate.push(own)
  }
  const together = copyOf(state)
  await update(subject, method, together)
  for (const [name, { data }] of state) {
    const each = separate.map((own) => gradientOf(own, name))
    const isStack = name.includes('.down.')
    const size = isStack ? data.length / 3 : data.length
    const expected = isStack
      ? [each[1]!, new Array(size).fill(0), each[0]!].flat()
      : Array.from(each[0]!, (value, i) => value + each[1]![i]!)
    assertNear(gradientOf(together, name), expected, 2e-6, name)
    assert.ok(
      expected.some((value) => Math.abs(value) > 1e-4),
      name,
    )
  }
})

test('a lazy mixture leaves experts without a route alone; a dense one moves them by their momentum and decay', async () => {
  const adam = { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.1 } as const
  for (const kind of ['lazy', 'dense']) {
    const both = prepare(subject, adamix, { of: adapter, experts: 2, consistency: 0, adam: kind, routing: routes([0]) })
    const name = `${places[0]}.down.weight`
    const shape = [2, 4, 16]
    const [first, second] = [new Float32Array(128).fill(0.3), new Float32Array(128).fill(0.04)]
    both.state.set(firstMoment(name), { shape, data: first })
    both.state.set(secondMoment(name), { shape, data: second })
    const weight = both.state.get(name)!.data
    const before = weight.slice()
    await update(subject, both.method, both.state, { adam }, 0.01)
    const unrouted = (data: Float32Array): Float32Array => data.slice(64)
    assert.ok(weight.slice(0, 64).every((value, i) => value !== before[i]))
    if (kind === 'lazy') {
      assert.deepEqual(unrouted(weight), unrouted(before))
      assert.deepEqual([unrouted(first), unrouted(second)], [new Float32Array(64).fill(0.3), new Float32Array(64).fill(0.04)])
    } else {
      const moved = (0.01 * ((0.3 * 0.9) / (1 - 0.9))) / (Math.sqrt((0.04 * 0.999) / (1 - 0.999)) + 1e-8)
      assertNear(
        unrouted(weight),
        Array.from(unrouted(before), (value) => value * (1 - 0.01 * 0.1) - moved),
        1e-6,
      )
    }
  }
})

test('a lazy mixture is refused where a term of the loss moves every expert', () => {
  const lazy = (orthogonality: number) => () => prepare(subject, adamix, { of: { name: 'adalora', orthogonality }, adam: 'lazy' })
  assert.throws(lazy(0.1), { name: 'UserError', message: /adam: lazy .* adalora .* set that to 0, or take adam: dense/ })
  assert.equal(lazy(0)().method.penalty, undefined)
})

test('LoRA experts start without effect: the logits are those of the frozen model, and only B gets a gradient', async () => {
  const { method, state } = prepare(subject, adamix, { of: { name: 'lora', r: 2 }, experts: 2 })
  const plain = prepare(subject, head)
  const deployed = method.deploy!(state)
  assert.deepEqual(await logitsOf(subject, deployed.method, deployed.state), await logitsOf(subject, plain.method, plain.state))
  const { consistency } = await update(subject, method, state)
  assert.ok(Math.abs(consistency) < 1e-7)
  for (const [name] of [...state].filter(([key]) => /\.[AB]\.weight$/.test(key))) {
    const moves = gradientOf(state, name).some((value) => value !== 0)
    assert.equal(moves, name.endsWith('B.weight'), name)
  }
})

test('experts of LoRA that start the same are alike after the first update; then a lazy mixture moves those alone that were drawn', async () => {
  const of = { name: 'lora', r: 2, targets: ['query'] }
  const groups = [0, 1].map((layer) => `bert.encoder.layer.${layer}.attention.self`)
  const options = { of, experts: 2, start: 'same', adam: 'lazy', consistency: 0, routing: routes([0], groups, 'A') }
  const { method, state } = prepare(subject, adamix, options)
  const name = 'bert.encoder.layer.0.attention.self.query.A.weight'
  const parts = (): [number[], number[]] => {
    const all = [...state.get(name)!.data]
    return [all.slice(0, all.length / 2), all.slice(all.length / 2)]
  }
  const adam = { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 } as const
  const [start] = parts()
  await update(subject, method, state, { adam }, 0.01)
  assert.deepEqual(parts(), [start, start])
  await update(subject, method, state, { adam }, 0.01)
  const [drawn, other] = parts()
  assert.notDeepEqual(drawn, start)
  assert.deepEqual(other, start)
})

test('evaluation draws nothing and gives the same logits twice', async () => {
  const { method, state } = prepare(subject, adamix, { of: adapter })
  const deployed = method.deploy!(state)
  const { network } = assemble(subject, { method: deployed.method, training: false, trains: trainedIn(state) })
  assert.ok(!network.graph.inputs.has('mixture.routes'))
  assert.deepEqual(await logitsOf(subject, deployed.method, deployed.state), await logitsOf(subject, deployed.method, deployed.state))
})

test('an evaluation after an update sees the new weights', async () => {
  const { method, state } = prepare(subject, adamix, { of: adapter })
  const before = method.deploy!(state)
  const held = copyOf(before.state)
  const old = await logitsOf(subject, before.method, held)
  await update(subject, method, state, {}, 0.05)
  const after = method.deploy!(state)
  const fresh = await logitsOf(subject, after.method, after.state)
  assert.ok(fresh.some((row, i) => row.some((value, k) => Math.abs(value - old[i]![k]!) > 1e-3)))
  for (const place of places) {
    const { data } = state.get(`${place}.down.weight`)!
    const mean = Array.from({ length: 64 }, (_, i) => [0, 1, 2, 3].reduce((sum, k) => sum + data[64 * k + i]!, 0) / 4)
    assertNear(after.state.get(`${place}.down.weight`)!.data, mean, 1e-7)
  }
})
