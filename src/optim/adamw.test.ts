import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { adamw } from './adamw.ts'

/** AdamW by its definition (Loshchilov and Hutter 2019, algorithm 2), one number at a time, with bias-corrected moments. */
function reference(
  start: readonly number[],
  gradients: readonly (readonly number[])[],
  rates: readonly number[],
  decay: number,
  epsilon: number,
): number[] {
  return start.map((initial, i) => {
    let [weight, m, v] = [initial, 0, 0]
    gradients.forEach((gradient, step) => {
      const [g, t] = [gradient[i]!, step + 1]
      weight -= rates[step]! * decay * weight
      m = 0.8 * m + 0.2 * g
      v = 0.95 * v + 0.05 * g ** 2
      const [unbiasedM, unbiasedV] = [m / (1 - 0.8 ** t), v / (1 - 0.95 ** t)]
      weight -= (rates[step]! * unbiasedM) / (unbiasedV ** 0.5 + epsilon)
    })
    return weight
  })
}

for (const { decay, epsilon } of [
  { decay: 0, epsilon: 1e-8 },
  { decay: 0.3, epsilon: 1e-8 },
  { decay: 0.1, epsilon: 0.5 },
]) {
  test(`five updates agree with the definition, weight decay ${decay}, epsilon ${epsilon}`, async () => {
    const start = [1, -2, 0.5, 0, 30]
    const gradients = Array.from({ length: 5 }, (_, t) => Array.from(normals(5, keyOf('gradient', t), { mean: 0.2, deviation: 1 })))
    gradients[2]![3] = 0
    const rates = [0.1, 0.2, 0, 0.05, 0.01]
    let state = { parameter: start, first: start.map(() => 0), second: start.map(() => 0) }
    for (const [step, gradient] of gradients.entries()) {
      const rate = rates[step]!
      const scalars = { rate, stepSize: rate / (1 - 0.8 ** (step + 1)), deviation: Math.sqrt(1 - 0.95 ** (step + 1)) }
      const given = { ...state, ...scalars, gradient }
      const operands = Object.fromEntries(Object.entries(given).map(([name, numbers]) => [name, operand(numbers)]))
      state = (await compute(operands, ({ parameter, first, second, gradient: g, rate: r, stepSize, deviation }) => ({
        ...adamw(
          { parameter: parameter!, first: first!, second: second! },
          g!,
          { betas: [0.8, 0.95], epsilon, weightDecay: decay },
          { rate: r!, stepSize: stepSize!, deviation: deviation! },
        ),
      }))) as typeof state
    }
    const expected = reference(start, gradients, rates, decay, epsilon)
    state.parameter.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]!) < 1e-12, `${i}: ${value}, expected ${expected[i]}`)
    })
  })
}
