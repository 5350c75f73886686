import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { teacherForced } from '../../src/data/teacher-forced.ts'
import { arrangement } from '../../src/evaluate/arrangement.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { initialState, type State } from '../../src/evaluate/state.ts'
import { write } from '../../src/generate/generate.ts'
import { generationOptions } from '../../src/generate/options.ts'
import { openWriter } from '../../src/generate/writer.ts'
import { everywhere } from '../../src/heads/head.ts'
import { heads } from '../../src/heads/index.ts'
import { promptOptions } from '../../src/methods/prompt.ts'
import { openModel } from '../../src/models/open.ts'
import type { Method } from '../../src/nn/method.ts'
import { assertNear, example } from './tiny-model.ts'

const tokens = 3
const subjectOf = (golden: string): Subject => ({
  model: openModel(join(import.meta.dirname, `../golden/${golden}/base`), (checkpoint) => checkpoint),
  head: heads['seq2seq-lm'],
  labels: 0,
})
const [t5, bart] = [subjectOf('t5-s2s-lora'), subjectOf('bart-s2s-lora')]

function prompted(subject: Subject, place: 'words' | 'embedded'): { method: Method; state: State } {
  const shape = outline(subject)
  const method = methodFor(subject, shape, promptOptions.parse({ name: 'prompt', tokens, place, init: 'random' }))
  return { method, state: initialState(subject, shape, method, 3) }
}

/** Texts, and what is written to them. */
const rows = (start: number, written: readonly (readonly number[])[]): Example[] =>
  written.map((label, i) => {
    const row = example(4 + i, label, i)
    return { ...row, types: new Int32Array(row.ids.length), decoder: teacherForced(label, { start, padding: 0 }) }
  })

async function logitsOf(
  subject: Subject,
  { method, state }: ReturnType<typeof prompted>,
  examples: readonly Example[],
): Promise<number[][]> {
  const forward = await openForward({ ...subject, head: everywhere(subject.head) }, method, state, { batchSize: 4 })
  const answers = await forward.logits(examples, state)
  await forward.close()
  return answers.map((row) => [...row])
}

test('T5 has neither positions nor a norm of its words, so that both places of a prompt are one', async () => {
  const [words, embedded] = [prompted(t5, 'words'), prompted(t5, 'embedded')]
  const [[from], [to]] = [[...words.state.keys()], [...embedded.state.keys()]] as [[string], [string]]
  assert.deepEqual([from, to], ['shared.prompt.weight', 'encoder.prompt.weight'])
  embedded.state.get(to)!.data.set(words.state.get(from)!.data)
  const asked = rows(0, [
    [5, 9, 2],
    [7, 4],
    [11, 3, 8, 6],
  ])
  const [given, expected] = [await logitsOf(t5, embedded, asked), await logitsOf(t5, words, asked)]
  assertNear(given.flat(), expected.flat(), 1e-5)
})

test("BART's text and what it writes keep their positions beside an embedded prompt", () => {
  const packed = arrangement(bart, prompted(bart, 'embedded').method)
  const { positions, decoder } = packed.batch(
    packed.rows(
      rows(2, [
        [5, 9, 2],
        [7, 4],
      ]),
    ),
  )
  const text = (length: number): number[] => Array.from({ length }, (_, i) => i + 2)
  const tail = (values: Int32Array, from: number, length: number): number[] => [...values.subarray(from, from + length)]
  assert.deepEqual([tail(positions, tokens, 4), tail(positions, 4 + 2 * tokens, 5)], [text(4), text(5)])
  assert.deepEqual([...decoder!.positions], [...text(3), ...text(2)])
})

for (const [name, subject] of [
  ['T5', t5],
  ['BART', bart],
] as const) {
  test(`${name} writes with an embedded prompt what its logits are highest for`, async () => {
    const adapted = prompted(subject, 'embedded')
    const { start } = subject.model.wiring.decoder!
    const asked = rows(start, [[0], [0], [0]])
    const writer = await openWriter(subject, adapted.method, adapted.state)
    const task = { ends: [], given: () => [start], room: () => 100 }
    const texts = await write(writer, asked, task, generationOptions({ maxNewTokens: 5 }))
    await writer.close()
    const again = asked.map((row, i) => ({ ...row, label: texts[i]!, decoder: teacherForced(texts[i]!, { start, padding: 0 }) }))
    const logits = await logitsOf(subject, adapted, again)
    const size = logits[0]!.length / 5
    const highest = logits.map((row) =>
      texts[0]!.map((_, k) => {
        const at = row.slice(k * size, (k + 1) * size)
        return at.indexOf(Math.max(...at))
      }),
    )
    assert.deepEqual(highest, texts)
  })
}
