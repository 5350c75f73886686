import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../../test/behaviour/small-graph.ts'
import { type Components, doublets, triplets } from '../components.ts'
import { importance } from './importance.ts'
import { magnitude } from './magnitude.ts'
import { random } from './random.ts'
import type { Score } from './score.ts'
import { sensitivity } from './sensitivity.ts'

const settings = { beta1: 0.85, beta2: 0.85 }
type Numbers = Readonly<Record<string, readonly number[]>>

/** One update of a factor's statistics. */
async function update(score: Score, parameter: readonly number[], gradient: readonly number[], old: Numbers, betas = settings) {
  const operands = { parameter, gradient, ...old }
  const results = await compute(Object.fromEntries(Object.entries(operands).map(([name, data]) => [name, operand(data)])), (given) => ({
    ...score.update(given.parameter!, given.gradient!, given, betas),
  }))
  return results as Record<string, number[]>
}

/** The scores of a module of two components from its factors and statistics, named `role` and `role.statistic`. */
async function scoresOf(score: Score, components: Components, given: Numbers): Promise<number[]> {
  const operands = Object.fromEntries(
    Object.entries(given).map(([name, data]) => {
      const axis = components.axes[name.split('.').slice(0, 2).join('.')]
      return [name, { data, shape: axis === 0 ? [2, data.length / 2] : [data.length / 2, 2] }]
    }),
  )
  const { result } = await compute(operands, (values) => {
    const of = (role: string) => Object.fromEntries(score.statistics.map((name) => [name, values[`${role}.${name}`]!]))
    const statistics = Object.fromEntries(Object.keys(components.axes).map((role) => [role, of(role)]))
    return { result: score.score({ components, factors: values, statistics, draws: null }) }
  })
  return result!
}
const near = (given: number, expected: number): void => assert.ok(Math.abs(given - expected) < 1e-6, `${given}, expected ${expected}`)
const allNear = (given: readonly number[], expected: readonly number[]): void => {
  assert.equal(given.length, expected.length)
  expected.forEach((value, i) => {
    near(given[i]!, value)
  })
}

test('sensitivities 2, 1, 0 are smoothed without bias correction, the uncertainty against the new average', async () => {
  const expected = [
    { sensitivity: 0.3, uncertainty: 0.255 },
    { sensitivity: 0.405, uncertainty: 0.306 },
    { sensitivity: 0.34425, uncertainty: 0.3117375 },
  ]
  let buffers: Numbers = { sensitivity: [0], uncertainty: [0] }
  for (const [i, parameter] of [2, -1, 0].entries()) {
    const now = await update(importance, [parameter], [1], buffers)
    near(now.sensitivity![0]!, expected[i]!.sensitivity)
    near(now.uncertainty![0]!, expected[i]!.uncertainty)
    const alone = await update(sensitivity, [parameter], [1], { sensitivity: buffers.sensitivity! })
    assert.deepEqual(Object.keys(alone), ['sensitivity'])
    near(alone.sensitivity![0]!, expected[i]!.sensitivity)
    buffers = now
  }
})

test('the deviation from the new average is beta1 times that from the old one', async () => {
  const [parameter, gradient, old] = [
    [1, -2, 0.3, 5],
    [0.5, 2, -7, 0],
    [0.1, 9, 2, 3],
  ]
  const before = { sensitivity: old, uncertainty: [0, 0, 0, 0] }
  const { uncertainty } = await update(importance, parameter, gradient, before, { beta1: 0.7, beta2: 0 })
  parameter.forEach((w, i) => {
    near(uncertainty![i]!, 0.7 * Math.abs(Math.abs(w * gradient[i]!) - old[i]!))
  })
})

test('each average has its own beta', async () => {
  const now = await update(importance, [2], [3], { sensitivity: [4], uncertainty: [10] }, { beta1: 0.5, beta2: 0.9 })
  near(now.sensitivity![0]!, 5)
  near(now.uncertainty![0]!, 9.1)
})

const elements = { 'A.weight': [2, 4, 0, 1], 'B.weight': [3, 0, 3, 0, 6, 3], 'E.weight': [1, 7] }
const named = (statistic: string, given: Numbers = elements): Numbers =>
  Object.fromEntries(Object.entries(given).map(([role, data]) => [`${role}.${statistic}`, data]))
const ones = Object.fromEntries(Object.entries(elements).map(([role, data]) => [role, data.map(() => 1)]))

test('a triplet scores what its singular value does and the means of its row of A and its column of B', async () => {
  allNear(await scoresOf(sensitivity, triplets, named('sensitivity')), [1 + 3 + 4, 7 + 0.5 + 1])
  const both = { ...named('sensitivity'), ...named('uncertainty', ones) }
  allNear(await scoresOf(importance, triplets, both), [8, 8.5])
  const twice = { ...both, 'A.weight.sensitivity': [2, 4, 2, 4, 0, 1, 0, 1], 'A.weight.uncertainty': new Array(8).fill(1) }
  allNear(await scoresOf(importance, triplets, twice), [8, 8.5])
})

test('a doublet scores the means of its row of A and its column of B', async () => {
  allNear(await scoresOf(sensitivity, doublets('B'), named('sensitivity')), [3 + 4, 0.5 + 1])
})

test('the magnitude of a triplet is that of its singular value, of a doublet that of its product', async () => {
  allNear(await scoresOf(magnitude, triplets, { ...elements, 'E.weight': [-3, 2] }), [3, 2])
  // Rows (3, 4) and (0, 1), columns (2, 0) and (0, -1).
  allNear(await scoresOf(magnitude, doublets('B'), { 'A.weight': [3, 4, 0, 1], 'B.weight': [2, 0, 0, -1] }), [10, 1])
})

test('random scores are a pure function of seed, update, module and place', () => {
  const drawn = (seed: number, step: number, module: string, rank = 6): number[] => [...random.draw!(seed, step, module, rank)]
  const first = drawn(1, 2, 'a')
  assert.deepEqual(drawn(1, 2, 'a'), first)
  assert.deepEqual(drawn(1, 2, 'a', 3), first.slice(0, 3))
  assert.equal(new Set([first, drawn(2, 2, 'a'), drawn(1, 3, 'a'), drawn(1, 2, 'b')].flat()).size, 24)
})
