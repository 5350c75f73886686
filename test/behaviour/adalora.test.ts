import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openForward } from '../../src/evaluate/forward.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { adalora, adaloraScale } from '../../src/methods/adalora.ts'
import { full } from '../../src/methods/full.ts'
import { head } from '../../src/methods/head.ts'
import type { Method } from '../../src/nn/method.ts'
import { reshapeState } from '../../src/train/reshape.ts'
import { bufferName, firstMoment, type StepGraphOptions } from '../../src/train/step-graph.ts'
import { openStep } from '../../src/train/step.ts'
import { assertNear, assertSameBits, copyOf, disturb, prepare, type Prepared, rows, settingOf, stepOptions, tinySubject } from './tiny-model.ts'

const schedule = { initR: 3, targetR: 2, tInit: 2, tFinal: 3, deltaT: 1, orthogonality: 0.1 }
const totalSteps = 10
const fresh = (options: Record<string, unknown> = {}): Prepared =>
  prepare(tinySubject(), adalora, { ...schedule, targets: ['query', 'down'], ...options }, { totalSteps })

async function logitsOf({ subject }: Prepared, method: Method, state: Prepared['state']): Promise<number[]> {
  const forward = await openForward(subject, method, state, { batchSize: 6 })
  const logits = await forward.logits(rows, state)
  await forward.close()
  return logits.flatMap((row) => [...row])
}

/** Makes updates `from` to `to` (exclusive) with the allocation after each; `each` sees the state then. */
async function train(prepared: Prepared, from: number, to: number, changes: Partial<StepGraphOptions> = {}, memory: unknown = null, each = (_step: number) => {}): Promise<unknown> {
  const { subject, method, state } = prepare(prepared.subject, adalora, optionsOf.get(prepared) ?? { ...schedule, targets: ['query', 'down'] }, { totalSteps, memory })
  const step = await openStep(subject, prepared.state, stepOptions(method, changes))
  assert.ok(state.size > 0)
  let remembered = memory
  for (let i = from; i < to; i++) {
    const { signals, finite } = await step.run([rows], { seed: 1, step: i }, 0.02)
    assert.ok(finite)
    const decision = method.control!(i, signals, prepared.state, remembered)
    if (decision && 'memory' in decision) remembered = decision.memory
    each(i)
  }
  await step.close()
  return remembered
}
