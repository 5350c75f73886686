import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assistantTurns } from './assistant-turns.ts'
import { chatTemplate } from './chat-template.ts'
import type { Message } from './conversations.ts'

interface Golden {
  readonly name: string
  readonly template: string
  readonly cases: readonly { readonly messages: readonly Message[]; readonly text: string; readonly asked: string }[]
}
const golden: readonly Golden[] = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/golden/chat/expected.json'), 'utf8'))
const words = { bos_token: '<|im_start|>', eos_token: '<|im_end|>' }
const open = (source: string) => chatTemplate(source, words, 'a model')
const named = (name: string): Golden => golden.find((each) => each.name === name)!

for (const { name, template, cases } of golden) {
  test(`the template "${name}" makes the texts that it makes in transformers`, () => {
    for (const { messages, text, asked } of cases) {
      assert.equal(open(template).render(messages), text)
      assert.equal(open(template).render(messages, true), asked)
      if (open(template).marked) assert.equal(open(template).marked!(messages).text, text)
    }
  })
}

/** What the assistant writes in each conversation. */
const written: Readonly<Record<string, readonly (readonly string[])[]>> = {
  turns: [['Hello world<|im_end|>'], ['fox jumps\n\nover<|im_end|>', '中文 dog<|im_end|>'], ['naïve<|im_end|>']],
  marked: [['Hello world<|im_end|>'], ['fox jumps\n\nover<|im_end|>', ' 中文 dog <|im_end|>'], ['naïve<|im_end|>']],
  'marked blocks': [
    [' Hello world\n<|im_end|>\n'],
    [' fox jumps\n\nover\n<|im_end|>\n', '  中文 dog \n<|im_end|>\n'],
    [' naïve\n<|im_end|>\n'],
  ],
  instructions: [[' Hello world <|im_end|>'], [' fox jumps\n\nover <|im_end|>', '  中文 dog  <|im_end|>'], [' naïve <|im_end|>']],
  // Thoughts of turns before the last question are left out by the template.
  thoughts: [
    ['<think>\n\n</think>\n\nHello world<|im_end|>'],
    ['fox jumps\n\nover<|im_end|>', '<think>\n\n</think>\n\n 中文 dog <|im_end|>'],
    ['naïve<|im_end|>'],
  ],
}

for (const [name, expected] of Object.entries(written)) {
  test(`the assistant's turns are found in texts by the template "${name}"`, () => {
    const { template, cases } = named(name)
    for (const [i, { messages }] of cases.entries()) {
      const { text, spans } = assistantTurns(open(template), messages, 'row')
      assert.deepEqual(
        spans.map(([start, end]) => text.slice(start, end)),
        expected[i],
      )
    }
  })
}

const messages: readonly Message[] = [
  { role: 'user', content: 'one' },
  { role: 'assistant', content: 'two' },
  { role: 'user', content: 'three' },
  { role: 'assistant', content: 'four' },
]

for (const [what, source] of [
  ['begins otherwise for long conversations', '{{ messages | length }}{% for m in messages %}{{ m.content }};{% endfor %}'],
  ['says answers twice', '{% for m in messages %}{{ m.content }};{{ m.content if m.role == "assistant" }}{% endfor %}'],
  ['ends the last turn otherwise', '{% for m in messages %}{{ m.content }}{{ "!" if loop.last else ";" }}{% endfor %}'],
] as const) {
  test(`a template that ${what} is refused`, () => {
    assert.throws(
      () => assistantTurns(open(source), messages, 'rows.jsonl:3'),
      /^UserError: rows.jsonl:3: the chat template writes message \d otherwise/,
    )
  })
}

test('what a template refuses, and a template that is none, is told', () => {
  const { template } = named('instructions')
  assert.throws(
    () => open(template).render(messages.slice(1)),
    /a model: the chat template refuses the conversation \(Roles must take turns\.\)/,
  )
  assert.throws(() => open('{% if %}'), /a model: the chat template cannot be read/)
})

test('characters that stand for something else are no part of a text that has them itself', () => {
  const content = 'a\ue000b\ue001c'
  const { text, spans } = assistantTurns(open(named('marked').template), [messages[0]!, { role: 'assistant', content }], 'row')
  assert.deepEqual(
    spans.map(([start, end]) => text.slice(start, end)),
    [`${content}<|im_end|>`],
  )
})
