import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { State } from '../../src/evaluate/state.ts'
import { adamix } from '../../src/methods/adamix.ts'
import type { Decision, Method } from '../../src/nn/method.ts'
import { deployed } from '../../src/nn/method.ts'
import { reshapeState } from '../../src/train/reshape.ts'
import { openStep } from '../../src/train/step.ts'
import { prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

const [experts, totalSteps] = [3, 20]
const subject = tinySubject()
const schedule = { initR: 4, targetR: 2, tInit: 2, tFinal: 10, deltaT: 2, targets: ['query', 'value'], orthogonality: 0.1 }

/** Trains a mixture over AdaLoRA past its last allocation; the state is cut where the method asks for it. */
async function trained(share: readonly string[], shrink: 'final' | 'never'): Promise<{ method: Method; state: State; last: Decision }> {
  const { method, state } = prepare(subject, adamix, { of: { name: 'adalora', ...schedule, shrink }, experts, share })
  const step = await openStep(subject, state, stepOptions(method))
  let memory: unknown = null
  let last: Decision | null = null
  for (let at = 0; at < totalSteps - schedule.tFinal + 3 && !last?.reshape; at++) {
    const { signals } = await step.run([rows], { seed: 1, step: at }, 1e-2)
    const decision = method.control!(at, signals, state, memory)
    if (decision && 'memory' in decision) memory = decision.memory
    last = decision ?? last
  }
  await step.close()
  if (last!.reshape) reshapeState(state, last!.reshape)
  return { method, state, last: last! }
}

const singularValues = (state: ReadonlyMap<string, { readonly data: Float32Array }>): [string, Float32Array][] =>
  [...state].flatMap(([name, { data }]) => (name.endsWith('.E.weight') ? [[name, data]] : []))

for (const share of [[], ['E', 'B']]) {
  test(`a rank that is masked out is zero in every expert and in their mean; shared: ${share.join(', ') || 'nothing'}`, async () => {
    const { method, state } = await trained(share, 'never')
    const stacks = singularValues(state)
    assert.equal(stacks.length, 4)
    let kept = 0
    for (const [name, stack] of stacks) {
      const each = Array.from({ length: stack.length / 4 }, (_, k) => Array.from(stack.subarray(4 * k, 4 * k + 4), (value) => value !== 0))
      assert.equal(each.length, share.includes('E') ? 1 : experts)
      for (const pattern of each) assert.deepEqual(pattern, each[0], name)
      const mean = new Map(singularValues(deployed(method, state).state)).get(name)!
      assert.deepEqual(
        Array.from(mean, (value) => value !== 0),
        each[0],
      )
      kept += each[0]!.filter(Boolean).length
    }
    assert.equal(kept, schedule.targetR * stacks.length)
  })
}

test('at the end the stacks are cut to the ranks that all experts share', async () => {
  const { state, last } = await trained([], 'final')
  const { ranks } = last.event as unknown as { ranks: Record<string, number> }
  assert.equal(
    Object.values(ranks).reduce((sum, rank) => sum + rank, 0),
    schedule.targetR * Object.keys(ranks).length,
  )
  for (const [module, rank] of Object.entries(ranks)) {
    const shapeOf = (role: string) => state.get(`${module}.${role}.weight`)?.shape
    assert.deepEqual(shapeOf('A'), rank === 0 ? undefined : [experts, rank, 16])
    assert.deepEqual(shapeOf('E'), rank === 0 ? undefined : [experts, rank, 1])
    assert.deepEqual(shapeOf('B'), rank === 0 ? undefined : [experts, 16, rank])
  }
})

test('with coupled draws all roles of a module draw the same expert, else they draw apart', () => {
  const agreeing = (draws: string): number => {
    const { method } = prepare(subject, adamix, { of: { name: 'lora' }, experts, share: [], draws })
    let [rowsOfRoutes, same] = [0, 0]
    for (let step = 0; step < 300; step++) {
      const { data, shape } = method.feed!({ seed: 1, step, microBatch: 0, rows: 2 })['mixture.routes']!
      rowsOfRoutes = shape[0]!
      const drawn = Array.from({ length: rowsOfRoutes }, (_, i) => data.subarray(i * experts, (i + 1) * experts).indexOf(1))
      // A of the first attention in both passes, then B.
      if (drawn[0] === drawn[2]) same++
    }
    // Two layers, two passes; A and B apart make twice as many.
    assert.equal(rowsOfRoutes, draws === 'coupled' ? 4 : 8)
    return same
  }
  const apart = agreeing('independent')
  assert.ok(apart > 70 && apart < 130, `${apart} of 300`)
  agreeing('coupled')
})
