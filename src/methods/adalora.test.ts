import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bareSetting } from '../../test/behaviour/bare-setting.ts'
import { UserError } from '../errors.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'
import { adalora, adaloraOptions, adaloraScale } from './adalora.ts'
import { budgetTimes } from './allocation-options.ts'
import type { AllocationMemory } from './allocator.ts'

const site = (name: string): LinearSite => ({ kind: 'linear', role: 'query', name, layer: 0, in: 3, out: 2, bias: true })
const sites = [site('one'), site('two')]
const options = (given: Record<string, unknown>) => adaloraOptions.parse({ name: 'adalora', targets: ['query'], ...given })

/** AdaLoRA on two modules of 4 singular values with a target of 2 each; `E` starts at the values given. */
function allocator(given: Record<string, unknown> = {}, totalSteps = 20, start = [1, 2, 3, 4]) {
  const schedule = { initR: 4, targetR: 2, tInit: 4, tFinal: 4, deltaT: 1, ...given }
  const method: Method = adalora.create(options(schedule), bareSetting({ sites, totalSteps }))
  const state = new Map<string, Tensor>()
  for (const each of sites) {
    for (const [role, { shape }] of Object.entries(method.parameters(each))) {
      const data = new Float32Array(shape.reduce((n, dim) => n * dim, 1)).fill(0.5)
      if (role === 'E.weight') data.set(start)
      state.set(`${each.name}.${role}`, { shape, data })
      state.set(`${each.name}.${role}@first`, { shape, data: data.slice() })
    }
  }
  let memory: unknown = null
  return {
    method,
    state,
    values: () => sites.map(({ name }) => Array.from(state.get(`${name}.E.weight`)!.data)),
    remembered: () => memory as AllocationMemory | null,
    /** Allocates after update `step` with these scores. */
    control(step: number, scores: readonly (readonly number[])[]) {
      const signals = new Map(sites.map(({ name }, i) => [name, { score: Float32Array.from(scores[i]!) }]))
      const decision = method.control!(step, signals, state, memory)
      // What is remembered has to survive a checkpoint.
      if (decision && 'memory' in decision) memory = JSON.parse(JSON.stringify(decision.memory))
      return decision
    },
  }
}
const rising = [
  [1, 2, 3, 4],
  [5, 6, 7, 8],
]

test('the scale is alpha over the initial rank and a hundred thousandth', () => {
  assert.equal(adaloraScale(options({ alpha: 16, initR: 12 })), 16 / 12.00001)
  assert.equal(adaloraScale(options({ alpha: 0, initR: 4, targetR: 2 })), 4 / 4.00001)
})

test('the increment is scale times B diag(E) A', () => {
  const { method } = allocator({ initR: 2, targetR: 1, alpha: 3 }, 20, [0, 0])
  const tensor = (shape: number[], data: number[]): Tensor => ({ shape, data: Float32Array.from(data) })
  const roles = {
    'A.weight': tensor([2, 3], [1, 2, 0, 0, 1, -1]),
    'E.weight': tensor([2, 1], [2, -1]),
    'B.weight': tensor([2, 2], [1, 3, 0, 4]),
  }
  const expected = [2, 1, 3, 0, -4, 4].map((value) => (3 / 2.00001) * value)
  method.increment!(sites[0]!, roles).forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < 1e-6)
  })
})

test('a target rank that is not below the initial one is refused', () => {
  for (const targetR of [4, 5]) {
    assert.throws(
      () => allocator({ initR: 4, targetR }),
      (error) => error instanceof UserError && /targetR \d must be below initR 4\. .*schedule: none/.test(error.message),
    )
  }
})

test('without a schedule nothing is allocated, and the target does not matter', () => {
  const { method } = allocator({ targetR: 8, tInit: 10, tFinal: 10, schedule: 'none' })
  assert.deepEqual(method.parameters(sites[0]!)['E.weight']!.shape, [4, 1])
  assert.deepEqual([method.statistics, method.observe, method.control, method.settled], [undefined, undefined, undefined, undefined])
  assert.equal(method.remains ?? 1, 1)
})

test('a file of ranks is read by the selection replay alone', () => {
  const refused = (given: Record<string, unknown>, message: RegExp): void =>
    assert.throws(
      () => allocator(given),
      (error) => error instanceof UserError && message.test(error.message),
    )
  refused({ ranks: 'ranks.json' }, /"ranks" is a file for the selection replay, but the selection is global/)
  refused({ selection: 'replay' }, /needs "ranks"/)
})

test('only scores that need statistics keep them', () => {
  const keptOf = (score: string) => Object.values(allocator({ score }).method.parameters(sites[0]!)).map(({ statistics }) => statistics)
  assert.deepEqual(keptOf('magnitude'), [[], [], []])
  assert.deepEqual(keptOf('random'), [[], [], []])
  assert.deepEqual(keptOf('sensitivity'), [['sensitivity'], ['sensitivity'], ['sensitivity']])
  assert.deepEqual(new Set(keptOf('importance').flat()), new Set(['sensitivity', 'uncertainty']))
})

test('a schedule without a budgeting phase is refused', () => {
  for (const [tInit, tFinal] of [
    [10, 10],
    [18, 4],
    [0.5, 0.5],
    [0.9, 4],
  ]) {
    assert.throws(
      () => allocator({ tInit, tFinal }),
      (error) => error instanceof UserError && /no budgeting phase.*all 20 updates/.test(error.message),
    )
  }
  allocator({ tInit: 9, tFinal: 10 })
})

test('times below 1 are shares of all updates', () => {
  assert.deepEqual(budgetTimes(options({ tInit: 0.15, tFinal: 0.45 }), 200), { tInit: 30, tFinal: 90 })
  assert.deepEqual(budgetTimes(options({ tInit: 1, tFinal: 0 }), 200), { tInit: 1, tFinal: 0 })
})

test('nothing is masked up to tInit', () => {
  const { control, values } = allocator()
  for (let step = 0; step <= 4; step++) control(step, rising)
  assert.deepEqual(values(), [
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ])
})

test('untrained singular values are zero, and the ranks are still the initial ones', () => {
  const { control, state } = allocator({ deltaT: 8 }, 20, [0, 0, 0, 0])
  assert.deepEqual(control(0, rising)?.event?.ranks, { one: 4, two: 4 })
  for (const { name } of sites) state.get(`${name}.E.weight`)!.data.fill(1)
  assert.equal(control(1, rising), null)
  assert.deepEqual(control(8, rising)?.event?.ranks, { one: 1, two: 4 }, 'the budget is 5')
})

test('masking writes to E alone', () => {
  const { control, state, values } = allocator()
  const before = new Map([...state].map(([name, { data }]) => [name, data.slice()]))
  control(10, rising)
  assert.ok(values().flat().includes(0))
  for (const [name, { data }] of state) if (!name.endsWith('.E.weight')) assert.deepEqual(data, before.get(name), name)
})

test('the budget is one over all modules: one may end at rank 0', () => {
  const { control, values } = allocator()
  const decision = control(16, [
    [1, 2, 3, 4],
    [100, 200, 300, 400],
  ])
  assert.deepEqual(values(), [
    [0, 0, 0, 0],
    [1, 2, 3, 4],
  ])
  const { deviation, ...event } = decision!.event!
  assert.deepEqual(event, { event: 'ranks', budget: 4, final: true, ranks: { one: 0, two: 4 } })
  // All of A and B is a half: A Aᵀ is 3/4 everywhere, Bᵀ B is 1/2.
  assert.deepEqual(deviation, { A: Math.sqrt(4 * 0.25 ** 2 + 12 * 0.75 ** 2), B: 2 })
})

test('a masked value that has grown back and scores above the threshold stays as it is', () => {
  const { control, state, values } = allocator({ deltaT: 4 })
  control(12, rising)
  assert.equal(values()[0]![0], 0)
  state.get('one.E.weight')!.data[0] = 0.125
  for (const step of [13, 14, 15]) control(step, rising)
  assert.equal(values()[0]![0], 0.125, 'no mask between two of them')
  control(16, [
    [9, 2, 3, 4],
    [5, 6, 7, 8],
  ])
  assert.deepEqual(values(), [
    [0.125, 0, 0, 0],
    [0, 2, 3, 4],
  ])
})

test('in the final phase what fell is zero after every update, whatever the scores', () => {
  const { control, state, values } = allocator({ shrink: 'never' })
  assert.equal(control(16, rising)?.reshape, undefined)
  for (const step of [17, 18, 19]) {
    for (const { name } of sites) state.get(`${name}.E.weight`)!.data.fill(7)
    control(step, [
      [8, 7, 6, 5],
      [4, 3, 2, 1],
    ])
    assert.deepEqual(values(), [
      [0, 0, 0, 0],
      [7, 7, 7, 7],
    ])
  }
})

test('the last allocation comes at the start of the final phase though deltaT does not divide that step', () => {
  const { control, values } = allocator({ deltaT: 7 })
  control(15, rising)
  assert.deepEqual(values(), [
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ])
  control(16, rising)
  assert.deepEqual(values(), [
    [0, 0, 0, 0],
    [1, 2, 3, 4],
  ])
})

test('without a final phase the last update makes the last allocation', () => {
  const { control, values, method } = allocator({ tFinal: 0, deltaT: 7 })
  control(18, rising)
  assert.deepEqual(values(), [
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ])
  const decision = control(19, rising)
  assert.deepEqual(values(), [
    [0, 0, 0, 0],
    [1, 2, 3, 4],
  ])
  assert.equal(decision?.event?.budget, 4)
  assert.deepEqual(
    [18, 19, 20].map((step) => method.settled!(step)),
    [false, false, true],
  )
  assert.equal(allocator({ tInit: 19, tFinal: 0 }).control(19, rising)?.event?.budget, 4)
})

test('evaluations count once the last allocation is made', () => {
  assert.deepEqual(
    [15, 16, 17, 18].map((step) => allocator().method.settled!(step)),
    [false, false, true, true],
  )
})

test('a decision is made only where ranks change', () => {
  const { control } = allocator({ deltaT: 3 })
  assert.ok(control(0, rising), 'the first ranks are reported')
  assert.equal(control(1, rising), null)
  assert.ok(control(9, rising))
  assert.equal(control(10, rising), null)
})

test('with shrinking the last allocation hands over what is kept, and the method then has these shapes and allocates no more', () => {
  const { control, remembered } = allocator()
  const decision = control(16, [
    [1, 9, 3, 8],
    [5, 0, 0, 7],
  ])
  const kept = [{ one: [1, 3] }, { two: [0, 3] }].flatMap((module) => Object.entries(module))
  assert.deepEqual(
    decision?.reshape,
    kept.flatMap(([name, indices]) => [
      { parameter: `${name}.A.weight`, axis: 0, indices },
      { parameter: `${name}.B.weight`, axis: 1, indices },
      { parameter: `${name}.E.weight`, axis: 0, indices },
    ]),
  )
  const shrunk = adalora.create(
    options({ initR: 4, targetR: 2, tInit: 4, tFinal: 4 }),
    bareSetting({ sites, totalSteps: 20, memory: remembered() }),
  )
  assert.deepEqual(
    Object.values(shrunk.parameters(sites[0]!)).map(({ shape }) => shape),
    [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
  )
  assert.deepEqual([shrunk.statistics, shrunk.observe, shrunk.control], [undefined, undefined, undefined])
})

test('a module without a singular value left has no parameters', () => {
  const { control, remembered } = allocator()
  control(16, rising)
  const shrunk = adalora.create(
    options({ initR: 4, targetR: 2, tInit: 4, tFinal: 4 }),
    bareSetting({ sites, totalSteps: 20, memory: remembered() }),
  )
  assert.deepEqual(shrunk.parameters(sites[0]!), {})
  assert.equal(Object.keys(shrunk.parameters(sites[1]!)).length, 3)
})
