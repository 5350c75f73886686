import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { drawClass } from '../tasks/softmax.ts'
import { type GenerationOptions, generationOptions } from './options.ts'
import { narrowed } from './sampling.ts'
import { normalise } from './scores.ts'

interface Expected {
  readonly settings: Partial<GenerationOptions>
  readonly logits: readonly number[]
  readonly probabilities: readonly number[]
}
const file = join(import.meta.dirname, '../../test/golden/generation/tables.json')
const { samplers }: { samplers: readonly Expected[] } = JSON.parse(readFileSync(file, 'utf8'))

test("what may be drawn, and how likely, is as transformers' samplers have it", () => {
  for (const { settings, logits, probabilities } of samplers) {
    const scores = narrowed(Float32Array.from(logits), generationOptions(settings))
    normalise(scores)
    probabilities.forEach((expected, i) => {
      assert.ok(Math.abs(Math.exp(scores[i]!) - expected) < 2e-6, `${JSON.stringify(settings)}: token ${i}`)
    })
  }
})

test('tokens are drawn as often as they are likely, and never those that may not be', () => {
  const counts = new Map<number, number>()
  const draws = stream(keyOf('sampling test'))
  const rounds = 4000
  for (let i = 0; i < rounds; i++) {
    const id = drawClass(Float32Array.of(Math.log(0.5), -Infinity, Math.log(0.2), Math.log(0.3)), draws)
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  assert.equal(counts.get(1), undefined)
  // Four standard deviations.
  for (const [id, p] of [
    [0, 0.5],
    [2, 0.2],
    [3, 0.3],
  ] as const) {
    assert.ok(Math.abs(counts.get(id)! - p * rounds) < 4 * Math.sqrt(rounds * p * (1 - p)), `${id}: ${counts.get(id)}`)
  }
})
