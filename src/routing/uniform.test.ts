import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawUniform } from './uniform.ts'

const experts = 4
const down = { group: 'layer.0', role: 'down', experts }
const up = { group: 'layer.0', role: 'up', experts }
const at = (step: number, change: Partial<{ seed: number; microBatch: number; pass: number }> = {}) => ({
  seed: 3,
  step,
  microBatch: 0,
  pass: 0,
  ...change,
})
const steps = Array.from({ length: 4000 }, (_, step) => step)

/** Pearson's statistic against equal shares. */
function chiSquare(draws: readonly number[], cells: number): number {
  const expected = draws.length / cells
  return Array.from({ length: cells }, (_, cell) => (draws.filter((draw) => draw === cell).length - expected) ** 2 / expected).reduce(
    (sum, term) => sum + term,
    0,
  )
}

test('experts are drawn equally often', () => {
  const draws = steps.map((step) => drawUniform(down, at(step)))
  assert.ok(draws.every((draw) => Number.isInteger(draw) && draw >= 0 && draw < experts))
  assert.ok(chiSquare(draws, experts) < 16.3)
})

const pairs: Record<string, (step: number) => [number, number]> = {
  'the roles of a site': (step) => [drawUniform(down, at(step)), drawUniform(up, at(step))],
  'two sites': (step) => [drawUniform(down, at(step)), drawUniform({ ...down, group: 'layer.1' }, at(step))],
  'the passes of a batch': (step) => [drawUniform(down, at(step)), drawUniform(down, at(step, { pass: 1 }))],
  'two micro-batches': (step) => [drawUniform(down, at(step)), drawUniform(down, at(step, { microBatch: 1 }))],
  'two steps': (step) => [drawUniform(down, at(2 * step)), drawUniform(down, at(2 * step + 1))],
  'two seeds': (step) => [drawUniform(down, at(step)), drawUniform(down, at(step, { seed: 4 }))],
}
for (const [name, draw] of Object.entries(pairs)) {
  test(`the draws of ${name} are independent`, () => {
    const cells = steps.map(draw).map(([one, two]) => one * experts + two)
    // The 0.1 % point for 15 degrees of freedom is 37.7.
    assert.ok(chiSquare(cells, experts ** 2) < 37.7)
  })
}

test('one of four experts is used by a step of two passes with probability 7/16', () => {
  const used = steps.filter((step) => [0, 1].some((pass) => drawUniform(down, at(step, { pass })) === 2)).length
  const [mean, deviation] = [(4000 * 7) / 16, Math.sqrt(4000 * (7 / 16) * (9 / 16))]
  assert.ok(Math.abs(used - mean) < 4 * deviation, `${used}, expected ${mean}`)
})

test('the same moment gives the same expert', () => {
  for (const step of steps.slice(0, 100)) assert.equal(drawUniform(down, at(step)), drawUniform({ ...down }, at(step)))
})
