import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadTokenizer } from '../../src/data/tokenizer.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { everywhere } from '../../src/heads/head.ts'
import { heads } from '../../src/heads/index.ts'
import { untouched } from '../../src/methods/in-place.ts'
import { openModel } from '../../src/models/open.ts'
import { argmax } from '../../src/tasks/softmax.ts'
import { inFloat32 } from '../../src/weights/float32-copy.ts'
import { assertNear, temporaryFolder } from '../behaviour/tiny-model.ts'

interface Answer {
  readonly sentence: string
  readonly ids: readonly number[]
  /** Of the hidden word, the first of the vocabulary. */
  readonly logits: readonly number[]
  readonly best: number
}

const folder = join(import.meta.dirname, '../../models/adatune-tiny')
const answers: Answer[] = JSON.parse(readFileSync(join(import.meta.dirname, '../golden/adatune-tiny/answers.json'), 'utf8'))

test('the base reads sentences and answers for hidden words as transformers does with the same folder', async () => {
  const { encode, special } = loadTokenizer(folder)
  const model = openModel(folder, (checkpoint) => inFloat32(checkpoint, temporaryFolder()))
  const head = everywhere(heads['masked-lm'])
  const forward = await openForward({ model, head, labels: 0 }, untouched, new Map(), { batchSize: 1 })
  for (const { sentence, ids, logits, best } of answers) {
    assert.deepEqual(encode(sentence, null, 128).ids, ids, sentence)
    const row = { ids: Int32Array.from(ids), types: new Int32Array(ids.length), mask: new Uint8Array(ids.length).fill(1) }
    const [found] = await forward.logits([{ ...row, label: null, file: '', line: 0 }], new Map())
    const { vocabularySize } = model.wiring
    const at = ids.indexOf(special.mask!) * vocabularySize
    const own = found!.subarray(at, at + vocabularySize)
    assertNear([...own.subarray(0, logits.length)], [...logits], 2e-4)
    assert.equal(argmax(own), best)
  }
  await forward.close()
})
