import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { State } from '../../src/evaluate/state.ts'
import { constant, type Value } from '../../src/graph/graph.ts'
import { expand } from '../../src/graph/ops/movement.ts'
import { adamix } from '../../src/methods/adamix.ts'
import { bitfitOptions } from '../../src/methods/bitfit.ts'
import { lora, loraOptions } from '../../src/methods/lora.ts'
import { mixture } from '../../src/methods/mixture.ts'
import { plainDefinition } from '../../src/methods/plain.ts'
import { prefixOptions } from '../../src/methods/prefix.ts'
import { promptOptions } from '../../src/methods/prompt.ts'
import type { Consistency } from '../../src/nn/consistency.ts'
import type { Method } from '../../src/nn/method.ts'
import type { Routing } from '../../src/routing/route.ts'
import { openStep, type StepResult } from '../../src/train/step.ts'
import type { StepGraphOptions } from '../../src/train/step-graph.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, startOf } from '../contracts/trial.ts'
import { assertNear, assertSameBits, copyOf, disturb, prepare, rows, settingOf, stepOptions, tinySubject } from './tiny-model.ts'

const subject = tinySubject()
const setting = settingOf(subject)
const experts = 3
const trained = /\.(A|B|prefix|prompt|output|bias)\b/

const agreement: Consistency = { weight: 1, ramp: 0, form: 'reference', numbers: 'square', crossEntropy: 'first' }

type Wrapped = Parameters<typeof plainDefinition>[0]
const wrapped = (of: Wrapped): Method => plainDefinition(of).create(of, setting)
const lowRank: Wrapped = loraOptions.parse({ name: 'lora', r: 2, targets: ['query', 'down', 'pooler'] })

const mixed = (inner: Method, routing: Routing, consistency: Consistency | null = null): Method =>
  mixture(inner, setting.sites, { experts, share: [], consistency, lazy: false, merges: routing.per !== 'token', routing })

/** The same gates for every token. */
const constantly = (gates: readonly number[]): Routing => ({
  per: 'token',
  parameters: () => ({}),
  gates: ({ input }: { input: Value }) => ({
    gates: expand(constant(input.graph, gates, [1, experts], input.graph.float), [input.shape[0]!, experts]),
    loss: null,
  }),
})

function startedAt(method: Method, deviation = 0.2): State {
  const state = startOf(subject, method)
  disturb(state, trained, deviation)
  return state
}

/** The state of the wrapped method with one expert of each stack. */
const expertOf = (state: State, k: number): State =>
  new Map(
    [...copyOf(state)].map(([name, { shape, data }]) => {
      const size = data.length / experts
      return [name, { shape: shape.slice(1), data: data.slice(k * size, (k + 1) * size) }]
    }),
  )

async function update(
  method: Method,
  state: State,
  changes: Partial<StepGraphOptions> = {},
  batches = [rows],
  steps = 1,
  rate = 0,
): Promise<StepResult> {
  const step = await openStep(subject, state, stepOptions(method, { accumulate: batches.length, ...changes }))
  let result!: StepResult
  for (let at = 0; at < steps; at++) result = await step.run(batches, { seed: 1, step: at }, rate)
  await step.close()
  return result
}

const flat = (logits: readonly Float32Array[]): number[] => logits.flatMap((row) => [...row])

test('a gate of one is that expert, and gates of zero are the frozen model, bit for bit', async () => {
  const inner = wrapped(lowRank)
  const state = startedAt(mixed(inner, constantly([0, 1, 0])))
  const one = await logitsOf(subject, mixed(inner, constantly([0, 1, 0])), state, rows)
  const plain = await logitsOf(subject, inner, expertOf(state, 1), rows)
  assert.deepEqual(flat(one), flat(plain))
  const none = await logitsOf(subject, mixed(inner, constantly([0, 0, 0])), state, rows)
  const frozen = await logitsOf(subject, alone, new Map(), rows)
  assert.deepEqual(flat(none), flat(frozen))
  assert.notDeepEqual(flat(one), flat(none))
})

test('gates weigh what the experts add: LoRA by halves is LoRA with the mean of the increments', async () => {
  const inner = lora.create(loraOptions.parse({ name: 'lora', r: 1, targets: ['pooler'] }), setting)
  const half = mixed(inner, constantly([0.5, 0, 0.5]))
  const state = startedAt(half)
  const double = loraOptions.parse({ name: 'lora', r: 2, targets: ['pooler'] })
  const both = lora.create(double, setting)
  const [first, third] = [expertOf(state, 0), expertOf(state, 2)]
  const [a, b] = ['bert.pooler.dense.A.weight', 'bert.pooler.dense.B.weight']
  const pairs = new Map([
    [a, { shape: [2, 16], data: Float32Array.of(...first.get(a)!.data, ...third.get(a)!.data) }],
    // Half of each increment, where rank 2 halves α / r besides.
    [b, { shape: [16, 2], data: Float32Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? first : third).get(b)!.data[i >> 1]!) }],
  ])
  assertNear(flat(await logitsOf(subject, half, state, rows)), flat(await logitsOf(subject, both, pairs, rows)), 1e-5)
})

const wholes: Readonly<Record<string, Wrapped>> = {
  lora: lowRank,
  bitfit: bitfitOptions.parse({ name: 'bitfit' }),
  prompt: promptOptions.parse({ name: 'prompt', tokens: 2 }),
  prefix: prefixOptions.parse({ name: 'prefix', tokens: 2 }),
  'prefix with a projection': prefixOptions.parse({ name: 'prefix', tokens: 2, projection: true, width: 4 }),
}
for (const [name, of] of Object.entries(wholes)) {
  test(`by example, each row has the expert of its own, in each pass: ${name}`, async () => {
    const inner = wrapped(of)
    const method = mixed(inner, { per: 'row', draw: (_draw, { row, pass }) => (row! + pass) % experts }, agreement)
    const state = startedAt(method, name.startsWith('prefix') ? 2 : 0.2)
    const each = await Promise.all([0, 1, 2].map((k) => logitsOf(subject, inner, expertOf(state, k), rows)))
    const logSoftmax = (z: Float32Array): number[] =>
      Array.from(z, (value) => value - Math.log(z.reduce((sum, other) => sum + Math.exp(other), 0)))
    const pass = (shift: number): number[][] => rows.map((_, row) => logSoftmax(each[(row + shift) % experts]![row]!))
    const [p, q] = [pass(0), pass(1)]
    const task = rows.reduce((sum, { label }, row) => sum - p[row]![label as number]!, 0) / rows.length
    const divergence = p.reduce(
      (sum, row, i) => sum + row.reduce((part, log, k) => part + ((Math.exp(log) - Math.exp(q[i]![k]!)) * (log - q[i]![k]!)) / 2, 0),
      0,
    )
    const { taskLoss, consistency } = await update(method, copyOf(state))
    assertNear([taskLoss, consistency], [task, divergence / rows.length], 2e-5)
    assert.ok(consistency > 1e-4)
  })
}

test('by example, draws are uniform, apart for each row and pass, and a pure function of the moment', () => {
  const { method } = prepare(subject, adamix, { of: { name: 'lora', r: 2 }, routing: { name: 'uniform', per: 'example' } })
  const moment = (step: number) => ({ seed: 3, step, microBatch: 0, rows: 8 })
  const steps = Array.from({ length: 500 }, (_, step) => method.feed!(moment(step))['mixture.rows']!)
  assert.deepEqual(steps[0]!.shape, [2, 8, 4])
  assert.deepEqual(method.feed!(moment(7)), method.feed!(moment(7)))
  const drawn = steps.map(({ data }) => Array.from({ length: 16 }, (_, i) => data.subarray(4 * i, 4 * i + 4).indexOf(1)))
  /** Pearson's statistic of two draws of each step over 16 cells, whose 0.1 % point is 37.7. */
  const dependence = (i: number, j: number): number => {
    const cells = Array.from({ length: 16 }, (_, cell) => drawn.filter((draws) => 4 * draws[i]! + draws[j]! === cell).length)
    return cells.reduce((sum, count) => sum + (count - 500 / 16) ** 2 / (500 / 16), 0)
  }
  // Two rows of a pass, a row in both passes, a row in both layers.
  for (const [i, j] of [
    [0, 1],
    [0, 4],
    [0, 8],
  ] as const)
    assert.ok(dependence(i, j) < 37.7, `${i} and ${j}`)
})

const adapter = { name: 'bottleneck', variant: 'ffn-output', size: 4 }
const routings: readonly { readonly name: string; readonly [option: string]: unknown }[] = [
  { name: 'top-k', k: 2 },
  { name: 'switch' },
  { name: 'prototypes', k: 2 },
  { name: 'hash' },
  { name: 'base' },
]
for (const routing of routings) {
  test(`${routing.name}: it learns, and router and experts have the right gradients, with what balances them`, async () => {
    const method = adamix.create(adamix.options.parse({ name: 'adamix', of: adapter, routing }), setting)
    await assertLossFalls(subject, method, startOf(subject, method), rows)
    const state = startOf(subject, method)
    disturb(state, /(up|router)\.\w+$/)
    const pattern = routing.name === 'hash' ? /\.(down|up)\./ : /\.(router|down|up)\./
    await assertGradients(subject, method, state, rows, { pattern })
  })
}

test('a loss that balances counts once an update, whatever micro-batches and passes there are', async () => {
  const quiet = { name: 'switch', capacity: null, jitter: 0, balance: 3 }
  const balance = async (consistency: number, batches: (typeof rows)[]): Promise<number> => {
    const { method, state } = prepare(subject, adamix, { of: adapter, routing: quiet, consistency })
    disturb(state, /router/)
    const result = await update(method, state, {}, batches)
    assertNear([result.loss], [result.taskLoss + consistency * result.consistency + result.balance], 1e-5)
    return result.balance
  }
  const once = await balance(0, [rows])
  assert.ok(once > 2 * 3)
  assertNear([await balance(0, [rows, rows]), await balance(1, [rows]), await balance(1, [rows, rows])], [once, once, once], 1e-5)
})

test('each pass has a capacity of its own', async () => {
  const seen: number[] = []
  const routing = { name: 'switch', capacity: 1, jitter: 0 }
  for (const consistency of [0, 1]) {
    const { method, state } = prepare(subject, adamix, { of: adapter, routing, consistency })
    disturb(state, /(router|up)\.\w+$/)
    const { signals, taskLoss } = await update(method, state)
    const loads = [...signals.values()].flatMap(({ load }) => [...(load ?? [])])
    assert.equal(loads.length, 2 * 4)
    // 36 tokens make 9 for each expert.
    assert.ok(loads.every((load) => load <= 0.25 + 1e-6))
    assert.ok(loads.reduce((sum, load) => sum + load, 0) < 2 - 0.05, 'some tokens are dropped')
    seen.push(taskLoss)
  }
  assertNear([seen[1]!], [seen[0]!], 1e-6)
})

test('the use of the experts is told every ten updates, as the mean over the modules', async () => {
  const { method, state } = prepare(subject, adamix, { of: adapter, routing: { name: 'base' } })
  const { signals } = await update(method, state)
  for (let step = 0; step < 30; step++) {
    const events = method.events!(step, signals)
    assert.equal(events.length, (step + 1) % 10 === 0 ? 1 : 0)
    for (const { event, utilisation } of events) {
      assert.equal(event, 'routes')
      assertNear(utilisation as number[], [0.25, 0.25, 0.25, 0.25], 1e-6)
    }
  }
})

test('answers know no noise and no capacity: a row is answered alike, whatever rows are beside it', async () => {
  for (const routing of routings) {
    const { method, state } = prepare(subject, adamix, { of: adapter, routing })
    disturb(state, /(router|up)\.\w+$/)
    assert.equal(method.deploy, undefined)
    const together = await logitsOf(subject, method, state, rows)
    for (const [i, row] of rows.entries()) assertNear((await logitsOf(subject, method, state, [row]))[0]!, together[i]!, 1e-5, routing.name)
  }
})

test("AdaLoRA's experts are pruned by one mask, beside a router", async () => {
  const of = { name: 'adalora', initR: 3, targetR: 1, tInit: 1, tFinal: 2, deltaT: 1, targets: ['query', 'value'], shrink: 'never' }
  const { method, state } = prepare(subject, adamix, { of, routing: { name: 'top-k' }, consistency: 1 }, { totalSteps: 8 })
  const step = await openStep(subject, state, stepOptions(method))
  let memory: unknown = null
  const events: string[] = []
  for (let at = 0; at < 8; at++) {
    const { signals } = await step.run([rows], { seed: 1, step: at }, 0.02)
    const decision = method.control!(at, signals, state, memory)
    if (decision && 'memory' in decision) memory = decision.memory
    if (decision?.event) events.push(decision.event.event)
  }
  await step.close()
  assert.ok(events.includes('ranks'))
  const ranks = [...state].flatMap(([name, { data }]) => (/E\.weight$/.test(name) ? [data.filter((value) => value !== 0).length] : []))
  assert.equal(
    ranks.reduce((sum, rank) => sum + rank, 0),
    4,
  )
})

test('experts for each token are refused where a method changes whole rows, and draws apart where a gate chooses', () => {
  for (const of of ['prompt', 'prefix'])
    assert.throws(
      () => prepare(subject, adamix, { of: { name: of, tokens: 2 }, routing: { name: 'switch' } }),
      new RegExp(`${of} changes whole rows; take routing: \\{ name: uniform, per: example \\}`),
    )
  assert.throws(
    () => prepare(subject, adamix, { routing: { name: 'hash' }, draws: 'independent' }),
    /hash chooses all roles of a module together for each token; leave draws out/,
  )
})

test('experts of a method that leaves another one cannot stay apart', () => {
  const of = { name: 'lora', init: 'pissa', r: 2 }
  assert.throws(
    () => prepare(subject, adamix, { of, routing: { name: 'base' } }),
    /routing: "base" keeps its experts as they were trained, and lora with these settings is saved in another form; take routing: { name: uniform }/,
  )
  prepare(subject, adamix, { of, routing: { name: 'uniform', per: 'example' } })
})

test('lazy Adam leaves experts alone that no row has drawn', async () => {
  const inner = wrapped(lowRank)
  const method = mixture(inner, setting.sites, {
    experts,
    share: [],
    consistency: null,
    lazy: true,
    merges: true,
    routing: { per: 'row', draw: (_draw, { row }) => row! % 2 },
  })
  const state = startedAt(method)
  const before = copyOf(state)
  await update(method, state, {}, [rows], 3, 0.01)
  assertSameBits(expertOf(before, 2), expertOf(new Map([...state].filter(([name]) => before.has(name))), 2))
  for (const [name, { data }] of expertOf(before, 1))
    assert.notDeepEqual(expertOf(new Map([[name, state.get(name)!]]), 1).get(name)!.data, data)
})
