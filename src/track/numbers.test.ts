import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, count, duration, flops, metric, percent } from './numbers.ts'

const cases: [string, string][] = [
  [count(1234567), '1,234,567'],
  [count(Number.NaN), '–'],
  [percent(811_392, 355_361_794), '0.228 %'],
  [percent(1, 1), '100 %'],
  [percent(1, 100_000_000), '0.000001 %'],
  [percent(3, 0), '–'],
  [bytes(999), '999 B'],
  [bytes(999_999), '1 MB'],
  [bytes(8_489_000), '8.49 MB'],
  [bytes(5e15), '5,000 TB'],
  [flops(12.34e12), '12.3 TFLOP'],
  [flops(0), '0 FLOP'],
  [duration(0.04), '0.0 s'],
  [duration(9.96), '10 s'],
  [duration(59.6), '1 min 00 s'],
  [duration(125), '2 min 05 s'],
  [duration(3599.7), '1 h 00 min'],
  [duration(12_000), '3 h 20 min'],
  [duration(86_399), '1 d 00 h'],
  [duration(198_000), '2 d 07 h'],
  [duration(Number.NaN), '–'],
  [metric('accuracy', 0.8114), '81.1'],
  [metric('matthews', -0.051), '-5.1'],
  [metric('matched accuracy', 0.908), '90.8'],
  [metric('test matched f1', 0.5), '50.0'],
  [metric('accuracy perplexity', 0.5), '0.5'],
  [metric('loss', 0.45), '0.45'],
  [metric('loss', 12.3456), '12.3'],
  [metric('loss', Number.NaN), 'NaN'],
]

test('numbers are written for a reader', () => {
  for (const [written, expected] of cases) assert.equal(written, expected)
})
