import { join } from 'node:path'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { teacherForced } from '../../src/data/teacher-forced.ts'
import type { Tokens } from '../../src/data/token-row.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { openWriter } from '../../src/generate/writer.ts'
import { everywhere } from '../../src/heads/head.ts'
import { heads } from '../../src/heads/index.ts'
import { prefix } from '../../src/methods/prefix.ts'
import { prompt } from '../../src/methods/prompt.ts'
import { openModel } from '../../src/models/open.ts'
import { assertNear, prepare } from './tiny-model.ts'

const example = (ids: readonly number[], decoder?: Tokens): Example => ({
  ids: Int32Array.from(ids),
  types: new Int32Array(ids.length),
  mask: new Uint8Array(ids.length).fill(1),
  label: null,
  file: '',
  line: 0,
  ...(decoder && { decoder }),
})

const texts = [
  [5, 17, 30, 8, 21, 11, 40],
  [9, 4],
  [33, 12, 7, 28],
]
/** What is written after each text, token by token. */
const written = [
  [6, 13, 29, 3, 44],
  [31, 8, 8, 15, 22],
  [19, 27, 4, 36, 10],
]

for (const name of ['gpt2-clm-lora', 'llama-clm-full', 'qwen3-clm-full', 'gemma2-clm-full', 't5-s2s-lora', 'bart-s2s-lora']) {
  for (const [method, options] of [
    [prefix, { tokens: 3 }],
    [prefix, { tokens: 3, positions: 'own' }],
    [prompt, { tokens: 3 }],
  ] as const) {
    test(`${name} with ${JSON.stringify({ ...options, name: method.name })} writes one token after another as it reads all at once`, async () => {
      const model = openModel(join(import.meta.dirname, `../golden/${name}/base`), (checkpoint) => checkpoint)
      const { decoder } = model.wiring
      const subject = { model, head: heads[decoder ? 'seq2seq-lm' : 'causal-lm'], labels: 0 }
      const prepared = prepare(subject, method, options)
      const forward = await openForward({ ...subject, head: everywhere(subject.head) }, prepared.method, prepared.state, { batchSize: 3 })
      const whole = texts.map((ids, i) =>
        decoder ? example(ids, teacherForced([...written[i]!, 0], decoder)) : example([...ids, ...written[i]!]),
      )
      const expected = await forward.logits(whole, prepared.state)
      await forward.close()
      const writer = await openWriter(subject, prepared.method, prepared.state)
      let writing = await writer.begin(texts.map((ids) => example(ids)))
      const width = writing.vocabulary
      for (let at = 0; ; at++) {
        for (const [i, ids] of texts.entries()) {
          const place = (decoder ? 0 : ids.length - 1) + at
          const given = writing.logits.subarray(i * width, (i + 1) * width)
          assertNear(given, expected[i]!.subarray(place * width, (place + 1) * width), 1e-4, `text ${i}, token ${at}`)
        }
        if (at === written[0]!.length) break
        writing = await writing.advance(
          [0, 1, 2],
          written.map((ids) => ids[at]!),
        )
      }
      await writer.close()
    })
  }
}
