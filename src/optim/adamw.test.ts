import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { constant } from '../graph/graph.ts'
import { greater } from '../graph/ops/elementwise.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { adamw, gated } from './adamw.ts'

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
          { epsilon, weightDecay: decay },
          gated({ rate: r!, stepSize: stepSize!, deviation: deviation! }, [0.8, 0.95], constant(g!.graph, [1], [], 'bool')),
        ),
      }))) as typeof state
    }
    const expected = reference(start, gradients, rates, decay, epsilon)
    state.parameter.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]!) < 1e-12, `${i}: ${value}, expected ${expected[i]}`)
    })
  })
}

test('slices whose gate is closed keep their bits, whatever their gradient', async () => {
  const odd = [
    [Number.NaN, Infinity],
    [1, 2],
  ] as const
  const old = {
    parameter: [
      [-0, 0.1],
      [3, 4],
    ],
    first: [
      [1e-30, -5],
      [0, 1],
    ],
    second: [
      [0, 1e30],
      [2, 3],
    ],
  } as const
  const scalars = { rate: 0.1, stepSize: 0.2, deviation: 0.3 }
  const operands = Object.fromEntries(
    Object.entries({ ...old, ...scalars, odd, gates: [[-1], [1]] }).map(([name, n]) => [name, operand(n)]),
  )
  const next = await compute(operands, ({ parameter, first, second, odd: gradient, rate, stepSize, deviation, gates }) => {
    const now = gated({ rate: rate!, stepSize: stepSize!, deviation: deviation! }, [0.9, 0.999], greater(gates!, 0))
    return { ...adamw({ parameter: parameter!, first: first!, second: second! }, gradient!, { epsilon: 1e-8, weightDecay: 0.5 }, now) }
  })
  for (const name of ['parameter', 'first', 'second'] as const) {
    const [kept, moved] = [next[name]!.slice(0, 2), next[name]!.slice(2)]
    assert.ok(
      kept.every((value, i) => Object.is(value, old[name][0][i])),
      `${name}: ${kept}`,
    )
    assert.ok(
      moved.every((value, i) => Number.isFinite(value) && value !== old[name][1][i]),
      `${name}: ${moved}`,
    )
  }
})
