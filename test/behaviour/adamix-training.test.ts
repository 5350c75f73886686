import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openForward } from '../../src/evaluate/forward.ts'
import { adamix } from '../../src/methods/adamix.ts'
import { deployed } from '../../src/nn/method.ts'
import { stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { openStep } from '../../src/train/step.ts'
import { example, prepare, stepOptions, tinySubject } from './tiny-model.ts'

const subject = tinySubject()
/** Rows labelled by their first token, which can be learned. */
const labelled = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const row = example(4 + (i % 7), 0, from + i)
    return { ...row, label: row.ids[0]! % 3 }
  })
const [training, held] = [labelled(0, 96), labelled(500, 96)]

/** How much the routes differ after some updates, and the held-out loss of the merged adapter and of routes. */
async function trained(consistency: number, seed: number): Promise<{ variance: number; merged: number; routes: number }> {
  const of = { name: 'bottleneck', variant: 'ffn-output', size: 8 }
  const { method, state } = prepare(subject, adamix, { of, consistency, share: [] }, {}, seed)
  const step = await openStep(subject, state, stepOptions(method))
  for (let at = 0; at < 60; at++) await step.run([training.slice(24 * (at % 4), 24 * (at % 4) + 24)], { seed, step: at }, 1e-2)
  await step.close()
  const parameters = new Map([...state].filter(([name]) => !name.includes('@')))
  const answer = async (given: ReturnType<typeof deployed>): Promise<Float32Array[]> => {
    const forward = await openForward(subject, given.method, given.state, { batchSize: 96 })
    const logits = await forward.logits(held, given.state)
    await forward.close()
    return logits
  }
  const probabilities = (logits: Float32Array): number[] => {
    const most = Math.max(...logits)
    const powers = [...logits].map((x) => Math.exp(x - most))
    const sum = powers.reduce((a, b) => a + b, 0)
    return powers.map((x) => x / sum)
  }
  const lossOf = (logits: readonly Float32Array[]): number =>
    logits.reduce((sum, row, i) => sum - Math.log(probabilities(row)[held[i]!.label as number]!), 0) / logits.length
  const all: Float32Array[][] = []
  for (let k = 0; k < 8; k++) {
    const { below } = stream(keyOf('routes', seed, k))
    all.push(await answer(method.experts!.route(parameters, () => below(4))))
  }
  const variances = held.flatMap((_, i) =>
    probabilities(all[0]![i]!).map((_, c) => {
      const values = all.map((logits) => probabilities(logits[i]!)[c]!)
      const mean = values.reduce((a, b) => a + b, 0) / values.length
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    }),
  )
  return {
    variance: variances.reduce((a, b) => a + b, 0) / variances.length,
    merged: lossOf(await answer(deployed(method, parameters))),
    routes: all.map(lossOf).reduce((a, b) => a + b, 0) / all.length,
  }
}

test('consistency brings the routes together, and the merged adapter does no worse than they do on average', async () => {
  const seeds = [1, 2, 3]
  const [with1, without]: Awaited<ReturnType<typeof trained>>[][] = [[], []]
  for (const seed of seeds) {
    with1!.push(await trained(1, seed))
    without!.push(await trained(0, seed))
  }
  const told = JSON.stringify({ with1, without })
  assert.ok(seeds.filter((_, i) => with1![i]!.variance < without![i]!.variance).length >= 2, told)
  assert.ok(seeds.filter((_, i) => with1![i]!.merged <= with1![i]!.routes).length >= 2, told)
})
