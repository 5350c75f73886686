import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interval } from '../metrics/bootstrap.ts'
import { mean } from '../metrics/moments.ts'
import { resampledMetrics } from './judgement.ts'

const average = (rows: readonly number[]) => ({ accuracy: mean(rows) })
const right = Array.from({ length: 200 }, (_, i) => Number(i % 5 !== 0))

test('models that answer the same rows are drawn alike: equal answers differ in no draw, and a constant gain in all by it', () => {
  const [a, b] = [right, right.map((value) => value + 0.25)].map((rows) => resampledMetrics(rows, average, 200).resampled.accuracy!)
  for (const [i, value] of a!.entries()) assert.ok(Math.abs(b![i]! - value - 0.25) < 1e-12)
  assert.ok(new Set(a).size > 10, 'the draws differ')
})

test('the pairing tells what independent intervals cannot', () => {
  // Right in all rows where the other is, and in ten more: few rows, but never to its harm.
  const better = right.map((value, i) => (i % 20 === 0 ? 1 : value))
  const [a, b] = [right, better].map((rows) => resampledMetrics(rows, average, 1000))
  const difference = interval(
    b!.resampled.accuracy!.map((value, i) => value - a!.resampled.accuracy![i]!),
    0.95,
  )
  assert.ok(difference.low > 0)
  assert.ok(interval(a!.resampled.accuracy!, 0.95).high > interval(b!.resampled.accuracy!, 0.95).low)
})

test('metrics of the whole are those of the rows as they are, and no draws are made where none are asked for', () => {
  const { metrics, resampled } = resampledMetrics([1, 0, 1, 1], average, 0)
  assert.deepEqual(metrics, { accuracy: 0.75 })
  assert.deepEqual(resampled, { accuracy: [] })
})
