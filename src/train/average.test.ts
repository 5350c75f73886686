import assert from 'node:assert/strict'
import { test } from 'node:test'
import { example } from '../../test/behaviour/tiny-model.ts'
import { runConfig } from '../config/run-config.ts'
import type { State } from '../evaluate/state.ts'
import { averagedParameters, enterAverage, entersAverage, restartAverage } from './average.ts'
import { planRun } from './plan.ts'

const settings = (train: object) => runConfig.parse({ model: 'm', task: 'regression', data: { train: 't' }, train }).train

/** A state that takes these values in turn; returns what its average is after each. */
function averages(average: object, values: readonly number[]): number[] {
  const state: State = new Map([['w', { shape: [1], data: new Float32Array(1) }]])
  state.set('w@first', { shape: [1], data: Float32Array.of(9) })
  return values.map((value) => {
    state.get('w')!.data[0] = value
    enterAverage(settings({ average }).average!, state)
    const { w, ...others } = Object.fromEntries(averagedParameters(state))
    assert.deepEqual([others, state.get('w')!.data[0]], [{}, value])
    return w!.data[0]!
  })
}

test('the average of 1, 2, 3 is 2, and an exponential one begins with the first', () => {
  assert.deepEqual(averages({ name: 'swa' }, [1, 2, 3, 10]), [1, 1.5, 2, 4])
  assert.deepEqual(averages({ name: 'ema', decay: 0.5 }, [1, 2, 3]), [1, 1.5, 2.25])
})

test('weights enter at the ends of epochs after the start, or every so many updates, and at the end', () => {
  const rows = Array.from({ length: 8 }, () => example(3, 0))
  const entering = (average: object, train: object = {}): number[] => {
    const config = settings({ batchSize: 2, epochs: 5, average, ...train })
    const plan = planRun(rows, config)
    return Array.from({ length: plan.totalSteps }, (_, i) => i + 1).filter((updates) => entersAverage(config.average, plan, updates))
  }
  assert.deepEqual(entering({ name: 'swa', start: 0.5 }), [12, 16, 20])
  assert.deepEqual(entering({ name: 'swa', start: 0 }, { steps: 6 }), [4, 6])
  assert.deepEqual(entering({ name: 'swa', start: 0.5, every: 3 }), [12, 15, 18, 20])
  assert.equal(entering({ name: 'ema' }).length, 20)
})

test('an average that begins anew knows nothing of the old one', () => {
  const state: State = new Map([['w', { shape: [1], data: Float32Array.of(5) }]])
  const average = settings({ average: { name: 'swa' } }).average!
  enterAverage(average, state)
  enterAverage(average, state)
  restartAverage(state)
  assert.deepEqual([...state.keys()], ['w'])
  state.set('w', { shape: [2], data: Float32Array.of(1, 2) })
  enterAverage(average, state)
  assert.deepEqual([...averagedParameters(state).get('w')!.data], [1, 2])
})
