import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { importance } from './score.ts'

const settings = { beta1: 0.85, beta2: 0.85 }
const zero = { sensitivity: [0], uncertainty: [0] }

/** One update of the statistics and the score that follows. */
async function update(
  parameter: readonly number[],
  gradient: readonly number[],
  buffers: { sensitivity: readonly number[]; uncertainty: readonly number[] },
  betas = settings,
) {
  const operands = { parameter, gradient, ...buffers }
  const results = await compute(Object.fromEntries(Object.entries(operands).map(([name, data]) => [name, operand(data)])), (given) => {
    const { sensitivity, uncertainty } = importance.update(
      given.parameter!,
      given.gradient!,
      { sensitivity: given.sensitivity!, uncertainty: given.uncertainty! },
      betas,
    )
    return {
      sensitivity: sensitivity!,
      uncertainty: uncertainty!,
      score: importance.score({ sensitivity: sensitivity!, uncertainty: uncertainty! }),
    }
  })
  return results as { sensitivity: number[]; uncertainty: number[]; score: number[] }
}
const near = (given: number, expected: number): void => assert.ok(Math.abs(given - expected) < 1e-9, `${given}, expected ${expected}`)

test('sensitivities 2, 1, 0 are smoothed without bias correction, the uncertainty against the new average', async () => {
  const expected = [
    { sensitivity: 0.3, uncertainty: 0.255, score: 0.0765 },
    { sensitivity: 0.405, uncertainty: 0.306, score: 0.12393 },
    { sensitivity: 0.34425, uncertainty: 0.3117375, score: 0.107315634 },
  ]
  let buffers: { sensitivity: number[]; uncertainty: number[] } = zero
  for (const [i, parameter] of [2, -1, 0].entries()) {
    const now = await update([parameter], [1], buffers)
    near(now.sensitivity[0]!, expected[i]!.sensitivity)
    near(now.uncertainty[0]!, expected[i]!.uncertainty)
    near(now.score[0]!, expected[i]!.score)
    buffers = now
  }
})

test('the deviation from the new average is beta1 times that from the old one', async () => {
  const [parameter, gradient, sensitivity] = [
    [1, -2, 0.3, 5],
    [0.5, 2, -7, 0],
    [0.1, 9, 2, 3],
  ]
  const { uncertainty } = await update(parameter, gradient, { sensitivity, uncertainty: [0, 0, 0, 0] }, { beta1: 0.7, beta2: 0 })
  parameter.forEach((w, i) => {
    near(uncertainty[i]!, 0.7 * Math.abs(Math.abs(w * gradient[i]!) - sensitivity[i]!))
  })
})

test('each average has its own beta', async () => {
  const { sensitivity, uncertainty } = await update([2], [3], { sensitivity: [4], uncertainty: [10] }, { beta1: 0.5, beta2: 0.9 })
  near(sensitivity[0]!, 5)
  near(uncertainty[0]!, 9.1)
})
