import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bareSubject, bertSizes } from '../../../test/behaviour/tiny-model.ts'
import { runConfig } from '../../config/run-config.ts'
import { outline } from '../../evaluate/assembly.ts'
import { methodFor } from '../../evaluate/method-for.ts'
import { weightCounts } from '../../evaluate/weight-counts.ts'
import { methodOptions } from '../../methods/index.ts'
import { plannedStep } from './planned-step.ts'

const subject = bareSubject(bertSizes)
const shape = outline(subject)
const method = methodFor(subject, shape, methodOptions.parse({ name: 'lora', r: 2 }), 10)

function stateBytes(average: object | null): number {
  const { train } = runConfig.parse({ model: 'm', task: 'sequence-classification', data: { train: 't' }, train: { average } })
  return plannedStep({ subject, outline: shape, method, train, besides: () => false, places: 0 }).stateBytes
}

test('an average takes as many bytes as the weights that are trained', () => {
  const { trained, head } = weightCounts(shape, method)
  assert.equal(stateBytes({ name: 'ema' }) - stateBytes(null), 4 * (trained + head))
})
