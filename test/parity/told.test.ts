import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { teacherForced } from '../../src/data/teacher-forced.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { everywhere } from '../../src/heads/head.ts'
import { heads } from '../../src/heads/index.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { openModel } from '../../src/models/open.ts'
import { argmax, negativeLogLikelihood } from '../../src/tasks/softmax.ts'
import { assertNear } from '../behaviour/tiny-model.ts'

const none = inPlace('none', () => false)
const row = (ids: readonly number[], label: readonly number[] | null): Example => ({
  ids: Int32Array.from(ids),
  types: new Int32Array(ids.length),
  mask: new Uint8Array(ids.length).fill(1),
  ...{ label, file: '', line: 0 },
})

/** For each row the places whose logits are asked, with the targets there; null where nobody knows. */
const cases = {
  'gpt2-clm-lora': {
    task: 'causal-lm',
    rows: [row([5, 9, 7, 8], [5, -100, 7, 8]), row([4, 6], [4, -100]), row([3, 8, 5], null)],
    asked: [
      [
        [1, 7],
        [2, 8],
      ],
      [],
      [[2, null]],
    ],
  },
  't5-s2s-lora': {
    task: 'seq2seq-lm',
    rows: [row([5, 9, 7, 8], [6, -100, 4]), row([4, 6], null)],
    asked: [
      [
        [0, 6],
        [2, 4],
      ],
      [[0, null]],
    ],
  },
} as const

for (const [name, { task, rows, asked }] of Object.entries(cases)) {
  test(`${task}: what is told of the places that are asked is what the logits of all tokens say there`, async () => {
    const model = openModel(join(import.meta.dirname, '../golden', name, 'base'), (checkpoint) => checkpoint)
    const { decoder } = model.wiring
    const examples = rows.map((one) => ({ ...one, ...(decoder && { decoder: teacherForced(one.label, decoder) }) }))
    const ask = async (head: (typeof heads)[keyof typeof heads] | ReturnType<typeof everywhere>): Promise<Float32Array[]> => {
      const forward = await openForward({ model, head, labels: 0 }, none, new Map(), { batchSize: 8 })
      const found = await forward.logits(examples, new Map())
      await forward.close()
      return found
    }
    const [told, logits] = [await ask(heads[task]), await ask(everywhere(heads[task]))]
    const width = model.wiring.vocabularySize
    asked.forEach((places, i) => {
      assert.equal(told[i]!.length, 3 * places.length)
      places.forEach(([place, target], k) => {
        const own = logits[i]!.subarray(place * width, (place + 1) * width)
        const [right, best, likelihood] = told[i]!.subarray(3 * k, 3 * k + 3)
        if (target !== null) assertNear([right!], [-negativeLogLikelihood(own, target)], 1e-5)
        assert.equal(best, argmax(own))
        assertNear([likelihood!], [-negativeLogLikelihood(own, argmax(own))], 1e-5)
      })
    })
  })
}
