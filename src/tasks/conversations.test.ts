import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Message } from '../data/conversations.ts'
import { readingFields } from '../data/reading.ts'
import type { Row } from '../data/row.ts'
import { loadTokenizer } from '../data/tokenizer.ts'
import { tasks } from './index.ts'
import type { Source } from './task.ts'

interface Golden {
  readonly name: string
  readonly template: string
  readonly cases: readonly { readonly messages: Message[]; readonly asked: string; readonly ids: number[]; readonly written?: number[] }[]
}
const root = join(import.meta.dirname, '../../test/golden')
const golden: readonly Golden[] = JSON.parse(readFileSync(join(root, 'chat/expected.json'), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'adatune-chat-'))
after(() => rmSync(folder, { recursive: true }))
copyFileSync(join(root, 'decoder-tokenizers/qwen.json'), join(folder, 'tokenizer.json'))

/** A source with a template of the model's own. */
function sourceOf(template: string, given: Partial<Source> & { readonly texts?: object } = {}): Source {
  const config = { bos_token: '<|im_start|>', eos_token: { content: '<|im_end|>' }, chat_template: [{ name: 'default', template }] }
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
  const tokenizer = loadTokenizer(folder)
  const texts = readingFields.texts.parse(given.texts)
  return {
    reading: { columns: null, maxLength: 512, spans: readingFields.spans.parse(undefined), texts },
    labelled: true,
    tokenizer: () => tokenizer,
    vocabularySize: 400,
    maxPositions: 512,
    end: null,
    ...given,
  }
}
const rowOf = (values: object): Row => ({ values: new Map(Object.entries(values)), file: 'talk.jsonl', line: 7 })
const read = (values: object, source: Source) => tasks['causal-lm'].read([rowOf(values)], source, [])[0]!.examples[0]!

for (const { name, template, cases } of golden) {
  test(`conversations by the template "${name}" have the tokens that transformers gives, and its mask of the assistant's`, () => {
    for (const { messages, ids, written } of cases) {
      const { ids: given, label } = read({ messages }, sourceOf(template))
      assert.deepEqual([...given], ids)
      const mask = (label as number[]).map((id) => (id === -100 ? 0 : 1))
      assert.deepEqual(
        label,
        ids.map((id, k) => (mask[k] === 1 ? id : -100)),
      )
      if (written) assert.deepEqual(mask, written)
      assert.ok(mask.includes(0) && mask.includes(1))
    }
  })

  test(`the template "${name}" asks for the answer that follows, and says what ends it`, () => {
    const source = sourceOf(template, { labelled: false })
    const { tokens } = source.tokenizer()
    const open = cases[2]!
    const { ids, label, ends } = read({ messages: open.messages }, source)
    assert.deepEqual([...ids], tokens(open.asked))
    assert.equal(label, null)
    assert.deepEqual(ends, tokens('<|im_end|>'))
    const answered = [...open.messages, { role: 'assistant', content: 'yes' }]
    assert.deepEqual(read({ messages: answered }, source).ids, ids)
  })
}

const { template, cases } = golden.find(({ name }) => name === 'marked')!
const { messages } = cases[0]!

test('all tokens count where the run says so, and a run may bring a template of its own', () => {
  const { ids, label } = read({ messages }, sourceOf(template, { texts: { loss: 'all' } }))
  assert.deepEqual(label, [...ids])
  const own = '{% for m in messages %}{{ m.content }}{% endfor %}'
  const { tokens } = sourceOf(template).tokenizer()
  assert.deepEqual([...read({ messages }, sourceOf(template, { texts: { chatTemplate: own } })).ids], tokens('Hi there!Hello world'))
})

test('a column of another name is taken where it holds conversations', () => {
  const source = sourceOf(template)
  const named = { ...source, reading: { ...source.reading, columns: { text: 'talk' } } }
  assert.deepEqual(read({ talk: messages }, named).ids, read({ messages }, source).ids)
})

for (const [what, values, given, message] of [
  ['no list', { messages: 'Hi' }, {}, /talk.jsonl:7: "messages" is "Hi"; expected a list such as/],
  [
    'another role',
    { messages: [{ role: 'tool', content: '1' }] },
    {},
    /has the role "tool" at message 1, and known are system, user, assistant/,
  ],
  ['no text', { messages: [{ role: 'user', content: null }] }, {}, /has the content null at message 1/],
  ['no answer', { messages: messages.slice(0, 1) }, {}, /talk.jsonl:7: the assistant says nothing in this conversation; leave it out/],
  [
    'an answer that is cut',
    { messages },
    { maxPositions: 12 },
    /says nothing in this conversation, of which 12 tokens are read; raise maxLength/,
  ],
  [
    'a long question',
    { messages },
    { maxPositions: 12, labelled: false },
    /the conversation has 24 tokens, and 12 are read; raise maxLength/,
  ],
] as const) {
  test(`a conversation with ${what} is refused`, () => {
    assert.throws(() => read(values, sourceOf(template, given)), message)
  })
}

test('a model without a template is refused, and so is one that reads a text and writes another', () => {
  const source = sourceOf(template)
  writeFileSync(join(folder, 'tokenizer_config.json'), '{}')
  assert.throws(() => read({ messages }, source), /has no chat template; give one: data.texts.chatTemplate/)
  const decoder = { start: 0, padding: 0 }
  assert.throws(
    () => tasks['seq2seq-lm'].read([rowOf({ messages })], { ...source, decoder }, []),
    /holds conversations, which are for models/,
  )
})
