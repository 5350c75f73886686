import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { assertNear } from '../../test/behaviour/tiny-model.ts'
import type { Value } from '../graph/graph.ts'
import { cast } from '../graph/ops/elementwise.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { hashed } from './hash.ts'
import { routingNames, routingOf, routingOptions } from './index.ts'
import { prototypeGates } from './prototypes.ts'
import { switchLoss, withinCapacity } from './switch.ts'
import { squaredVariation } from './top-k.ts'

type Rows = readonly (readonly number[])[]

/** A routing for each token, by its options. */
function byToken(given: Record<string, unknown>, experts = 4) {
  const options = routingOptions.parse(given)
  const routing = routingOf(options).create(options, experts)
  assert.ok(routing.per === 'token')
  return routing
}

/** Normal numbers `[rows, columns]`. */
function random(rows: number, columns: number, name: string): number[][] {
  const data = normals(rows * columns, keyOf('gates', name), { mean: 0, deviation: 1 })
  return Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * columns, (i + 1) * columns)))
}

/** The gates and the loss of a routing; `noise` stands for what is drawn in training. */
async function gatesOf(
  given: Record<string, unknown>,
  input: Rows,
  weights: Readonly<Record<string, Rows>>,
  noise: Rows | null = null,
): Promise<{ gates: number[][]; loss: number | undefined }> {
  const { gates, loss } = await compute(
    {
      input: operand(input),
      ...Object.fromEntries(Object.entries(weights).map(([name, rows]) => [name, operand(rows)])),
      noise: operand(noise ?? [[0]]),
    },
    (values) => {
      const made = byToken(given).gates({
        input: values.input!,
        ids: () => cast(values.input!, 'int32'),
        weights: values,
        noise: noise ? () => values.noise! : null,
      })
      return { gates: made.gates, ...(made.loss && { loss: made.loss }) }
    },
    'float32',
  )
  return { gates: input.map((_, i) => gates!.slice(4 * i, 4 * i + 4)), loss: loss?.[0] }
}

const softmax = (z: readonly number[]): number[] => z.map((value) => Math.exp(value) / z.reduce((sum, other) => sum + Math.exp(other), 0))
const logits = (input: Rows, weights: Rows): number[][] =>
  input.map((row) => weights.map((column) => column.reduce((sum, weight, i) => sum + weight * row[i]!, 0)))

test("Shazeer's balance: an expert that takes all has a squared variation of 3, equal ones of 0", async () => {
  const { one, equal } = await compute({ a: operand([4, 0, 0, 0]), b: operand([2, 2, 2, 2]) }, ({ a, b }) => ({
    one: squaredVariation(a!),
    equal: squaredVariation(b!),
  }))
  assertNear([one![0]!, equal![0]!], [3, 0], 1e-12)
})

test("Switch's loss is 1 where experts are used alike, and their number where one takes all with probability 1", async () => {
  const rows = (each: (i: number) => number[]): Rows => Array.from({ length: 8 }, (_, i) => each(i))
  const oneHot = (k: number): number[] => [0, 1, 2, 3].map((i) => (i === k ? 1 : 0))
  const { even, one } = await compute(
    {
      flat: operand(rows(() => [0.25, 0.25, 0.25, 0.25])),
      turns: operand(rows((i) => oneHot(i % 4))),
      first: operand(rows(() => oneHot(0))),
    },
    ({ flat, turns, first }) => ({ even: switchLoss(flat!, turns!), one: switchLoss(first!, first!) }),
  )
  assertNear([0.01 * even![0]!, 0.01 * one![0]!], [0.01, 0.04], 1e-12)
})

test('an expert serves the first tokens up to its capacity, rounded up', async () => {
  const chosen = [0, 0, 1, 0, 0, 1, 0].map((k) => [k === 0 ? 1 : 0, k === 1 ? 1 : 0])
  const { tight, wide, all } = await compute({ chosen: operand(chosen) }, ({ chosen: given }) => ({
    tight: withinCapacity(given!, 1),
    wide: withinCapacity(given!, 1.25),
    all: withinCapacity(given!, 2),
  }))
  const served = (gates: number[]): number[] => chosen.flatMap((_, i) => (gates[2 * i]! + gates[2 * i + 1]! === 1 ? [i] : []))
  assert.deepEqual(
    [served(tight!), served(wide!), served(all!)],
    [
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5, 6],
      [0, 1, 2, 3, 4, 5, 6],
    ],
  )
  assert.deepEqual(
    served((await compute({ chosen: operand(chosen) }, ({ chosen: given }) => ({ half: withinCapacity(given!, 0.5) }))).half!),
    [0, 1, 2, 5],
  )
})

test('prototypes: each group gives its largest expert with the probability among its own', async () => {
  const { gates } = await compute({ logits: operand([[0, 1, 2, 0]]) }, ({ logits: given }) => ({ gates: prototypeGates(given!, 2) }))
  assertNear(gates!, [0, 0.731059, 0.880797, 0], 1e-6)
})

test('hash: an id always has the same expert, another seed gives others, and all experts are used alike', async () => {
  const ids = Array.from({ length: 4000 }, (_, id) => id)
  const { one, again, other } = await compute({ ids: operand([...ids, ...[7, 7, 1234]]) }, ({ ids: given }, { float }) => {
    const experts = (seed: number): Value => cast(hashed(cast(given!, 'int32'), 4, seed), float)
    return { one: experts(0), again: experts(0), other: experts(1) }
  })
  assert.deepEqual(again, one)
  assert.deepEqual(one!.slice(4000), [one![7], one![7], one![1234]])
  assert.notDeepEqual(other, one)
  for (const k of [0, 1, 2, 3]) assert.ok(Math.abs(one!.slice(0, 4000).filter((expert) => expert === k).length - 1000) < 110)
  // Two seeds are independent: the 0.1 % point of chi square with 15 degrees of freedom is 37.7.
  const cells = Array.from({ length: 16 }, (_, cell) => ids.filter((id) => 4 * one![id]! + other![id]! === cell).length)
  assert.ok(cells.reduce((sum, count) => sum + (count - 250) ** 2 / 250, 0) < 37.7)
})

const input = random(6, 3, 'input')
const weight = random(4, 3, 'weight')

test('top-k: a softmax over the k largest noisy logits; without noise over the k largest', async () => {
  const spread = random(4, 3, 'spread')
  const noise = random(6, 4, 'noise')
  const clean = logits(input, weight)
  const deviations = logits(input, spread).map((row) => row.map((value) => Math.log1p(Math.exp(value))))
  const expected = (h: Rows, k: number): number[][] =>
    h.map((row) => {
      const kept = [...row].sort((a, b) => b - a)[k - 1]!
      return softmax(row.map((value) => (value >= kept ? value : Number.NEGATIVE_INFINITY)))
    })
  const quiet = await gatesOf({ name: 'top-k', k: 2 }, input, { weight, spread })
  assert.equal(quiet.loss, undefined)
  assertNear(quiet.gates.flat(), expected(clean, 2).flat(), 1e-5)
  const noisy = clean.map((row, i) => row.map((value, j) => value + noise[i]![j]! * deviations[i]![j]!))
  const { gates, loss } = await gatesOf({ name: 'top-k', k: 2, balance: 0.5 }, input, { weight, spread }, noise)
  assertNear(gates.flat(), expected(noisy, 2).flat(), 1e-5)
  // The load is a probability: that of an expert to be among the k largest if its own noise is drawn anew.
  const draws = normals(20_000, keyOf('anew'), { mean: 0, deviation: 1 })
  const load = [0, 1, 2, 3].map((e) =>
    clean.reduce((sum, row, i) => {
      const threshold = noisy[i]!.filter((_, j) => j !== e).sort((a, b) => b - a)[1]!
      return sum + draws.filter((draw) => row[e]! + draw * deviations[i]![e]! > threshold).length / draws.length
    }, 0),
  )
  const variation = (x: readonly number[]): number => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length
    return x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length / mean ** 2
  }
  const importance = [0, 1, 2, 3].map((e) => gates.reduce((sum, row) => sum + row[e]!, 0))
  assertNear([loss!], [0.5 * (variation(importance) + variation(load))], 0.01)
})

test('switch: the largest probability is the gate; noise jitters what the router sees and brings the loss', async () => {
  const clean = logits(input, weight).map(softmax)
  const top = (p: Rows): number[][] => p.map((row) => row.map((value) => (value === Math.max(...row) ? value : 0)))
  const quiet = await gatesOf({ name: 'switch' }, input, { weight })
  assertNear(quiet.gates.flat(), top(clean).flat(), 1e-5)
  assert.equal(quiet.loss, undefined)
  const noise = random(6, 3, 'jitter')
  const seen = input.map((row, i) => row.map((value, j) => value * (1 + 0.1 * noise[i]![j]!)))
  const p = logits(seen, weight).map(softmax)
  const { gates, loss } = await gatesOf({ name: 'switch', capacity: null, jitter: 0.1, balance: 2 }, input, { weight }, noise)
  assertNear(gates.flat(), top(p).flat(), 1e-5)
  const share = [0, 1, 2, 3].map((e) => top(p).filter((row) => row[e]! > 0).length / 6)
  const mean = [0, 1, 2, 3].map((e) => p.reduce((sum, row) => sum + row[e]!, 0) / 6)
  assertNear([loss!], [2 * 4 * share.reduce((sum, f, e) => sum + f * mean[e]!, 0)], 1e-5)
  const dropped = (await gatesOf({ name: 'switch', capacity: 0.5, jitter: 0 }, input, { weight }, noise)).gates
  // Half an equal share of six tokens is less than one for each of four experts.
  for (const e of [0, 1, 2, 3]) assert.ok(dropped.filter((row) => row[e]! > 0).length <= 1)
})

test('BASE: the sigmoid of the score; balanced in training, the largest else', async () => {
  const skewed = input.map((row) => [Math.abs(row[0]!) + 1, row[1]!, row[2]!])
  const favoured = weight.map((row, e) => [e === 0 ? 3 : 0, row[1]!, row[2]!])
  const scores = logits(skewed, favoured)
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
  const counts = (gates: Rows): number[] => [0, 1, 2, 3].map((e) => gates.filter((row) => row[e]! > 0).length)
  const quiet = (await gatesOf({ name: 'base' }, skewed, { weight: favoured })).gates
  assertNear(
    quiet.flat(),
    scores.flatMap((row) => row.map((value) => (value === Math.max(...row) ? sigmoid(value) : 0))),
    1e-5,
  )
  assert.ok(counts(quiet)[0]! > 4)
  const { gates } = await gatesOf({ name: 'base' }, skewed, { weight: favoured }, [[0]])
  assert.deepEqual(counts(gates), [2, 2, 1, 1])
  const kept = gates.map((row, i) => row.map((gate, e) => (gate > 0 ? sigmoid(scores[i]![e]!) : 0)))
  assertNear(gates.flat(), kept.flat(), 1e-5)
})

test('weights start as the papers say: zero, or small', () => {
  const width = 400
  const start = (name: string): Float32Array => byToken({ name }).parameters(width).weight!.init(keyOf('start', name))
  const deviation = (data: Float32Array): number => Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length)
  assert.ok(start('top-k').every((value) => value === 0))
  for (const [name, scale] of [
    ['switch', 0.1],
    ['prototypes', 0.1],
    ['base', 0.01],
  ] as const) {
    const data = start(name)
    assert.equal(data.length, 4 * width)
    // A normal distribution that is cut off at two deviations has 0.88 of its deviation.
    assert.ok(Math.abs(deviation(data) / (0.88 * Math.sqrt(scale / width)) - 1) < 0.06, name)
    assert.ok(data.every((value) => Math.abs(value) <= 2 * Math.sqrt(scale / width)))
  }
  assert.deepEqual(byToken({ name: 'hash' }).parameters(width), {})
})

test('numbers of experts that do not fit are refused', () => {
  assert.throws(() => byToken({ name: 'top-k', k: 5 }), /takes 5 experts for each token, and there are 4/)
  assert.throws(() => byToken({ name: 'prototypes', k: 3 }), /4 experts do not make 3 equal prototypes/)
})

test('every routing says whether its experts are merged, and those with gates are not', () => {
  for (const name of routingNames.filter((each) => each !== 'replay')) {
    const options = routingOptions.parse({ name })
    const { merges, create } = routingOf(options)
    assert.equal(merges, create(options, 4).per !== 'token', name)
  }
})
