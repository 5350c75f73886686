import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bitfit, bitfitOptions } from '../../src/methods/bitfit.ts'
import { mixture } from '../../src/methods/mixture.ts'
import type { Method } from '../../src/nn/method.ts'
import type { Router } from '../../src/routing/route.ts'
import { openStep } from '../../src/train/step.ts'
import { assertGradients, assertLossFalls, logitsOf, startOf } from '../contracts/trial.ts'
import { assertNear, copyOf, disturb, rows, settingOf, stepOptions, tinySubject } from './tiny-model.ts'

const subject = tinySubject()
const { sites } = settingOf(subject)
const biases = bitfit.create(bitfitOptions.parse({ name: 'bitfit' }), settingOf(subject))
const experts = 3
const agreement = { weight: 1, ramp: 0, form: 'reference', numbers: 'square', crossEntropy: 'first' } as const
const mixed = (draw: Router): Method =>
  mixture(biases, sites, { experts, share: [], consistency: agreement, lazy: false, merges: true, routing: { per: 'pass', draw } })
const lanes = mixed((_draw, { pass }) => 2 - pass)
const state = startOf(subject, lanes)
disturb(state, /\.bias$/)

/** The plain method's state with one expert. */
const expert = (k: number) =>
  new Map(
    [...copyOf(state)].map(([name, { shape, data }]) =>
      name.endsWith('.bias')
        ? [name, { shape: shape.slice(1), data: data.slice(k * shape[1]!, (k + 1) * shape[1]!) }]
        : [name, { shape, data }],
    ),
  )

const logSoftmax = (z: Float32Array): number[] =>
  Array.from(z, (value) => value - Math.log(z.reduce((sum, other) => sum + Math.exp(other), 0)))

/** Half the sum of both divergences, the mean over rows. */
function divergence(one: readonly Float32Array[], two: readonly Float32Array[]): number {
  const each = one.map((z, i) => {
    const [p, q] = [logSoftmax(z), logSoftmax(two[i]!)]
    return p.reduce((sum, log, k) => sum + (Math.exp(log) - Math.exp(q[k]!)) * (log - q[k]!), 0) / 2
  })
  return each.reduce((sum, value) => sum + value, 0) / each.length
}

test('a mixture over BitFit starts as the frozen model, learns, and has the right gradients', async () => {
  await assertLossFalls(subject, lanes, startOf(subject, lanes), rows)
  // The consistency stops gradients, so the task loss is compared: it is that of the first pass.
  const changes = { objective: { passes: 2, consistency: { ...agreement, weight: 0 }, labelSmoothing: 0, classWeights: null } }
  await assertGradients(subject, lanes, state, rows, { pattern: /(query|output\.dense|LayerNorm)\.bias$/, changes })
})

test('the two passes of a mixture over BitFit are its experts 2 and 1', async () => {
  const step = await openStep(subject, copyOf(state), stepOptions(lanes))
  const { taskLoss, consistency } = await step.run([rows], { seed: 1, step: 0 }, 0)
  await step.close()
  const [one, two] = [await logitsOf(subject, biases, expert(2), rows), await logitsOf(subject, biases, expert(1), rows)]
  const loss = one.reduce((sum, z, i) => sum - logSoftmax(z)[rows[i]!.label as number]!, 0) / rows.length
  assertNear([taskLoss, consistency], [loss, divergence(one, two)], 1e-5)
  assert.ok(consistency > 0.01)
})

test('the mean of the experts stands for a mixture over BitFit', () => {
  const deployed = lanes.deploy!(state)
  assert.equal(deployed.method, biases)
  const name = 'bert.encoder.layer.1.output.dense.bias'
  const mean = Array.from(
    expert(0).get(name)!.data,
    (value, i) => (value + expert(1).get(name)!.data[i]! + expert(2).get(name)!.data[i]!) / 3,
  )
  assertNear(deployed.state.get(name)!.data, mean, 1e-6)
})
