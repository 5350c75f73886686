import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bertSizes, temporaryFolder } from '../../../test/behaviour/tiny-model.ts'
import { parseRun } from '../../config/parse.ts'
import { foretell } from './foretell.ts'

const length = 16
/** Rows of the full length, of which everything is asked. */
const rows = {
  'sequence-classification': { label: 'a' },
  'token-classification': { labels: Array.from({ length }, (_, i) => i % 2) },
  'masked-lm': { labels: Array.from({ length }, () => 7) },
}

for (const [task, label] of Object.entries(rows)) {
  test(`rows of ${task} that are not there are foretold as those of the full length`, async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'config.json'), JSON.stringify(bertSizes))
    const evaluation = async (name: string): Promise<number> => {
      const data = {
        train: join(folder, name),
        eval: join(folder, name),
        labels: task === 'masked-lm' ? null : ['a', 'b'],
        maxLength: length,
      }
      const train = { steps: 2, evalBatchSize: 4 }
      return (await foretell(parseRun({ model: folder, task, data, train }, 'settings'))).memory.evaluation
    }
    const row = { input_ids: Array.from({ length }, () => 7), ...label }
    writeFileSync(join(folder, 'rows.jsonl'), `${JSON.stringify(row)}\n`.repeat(4))
    assert.equal(await evaluation('none.jsonl'), await evaluation('rows.jsonl'))
  })
}
