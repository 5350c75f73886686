import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import type { Message } from './conversations.ts'
import { exactTemplate } from './exact-template.ts'
import { readSettings } from './tokenizer-files.ts'

/** A text with stretches [start, end) of it, in UTF-16 units. */
export interface Marked {
  readonly text: string
  readonly spans: readonly (readonly [number, number])[]
}

/** How conversations become one text. */
export interface ChatTemplate {
  /** A conversation as a text; `asked` where the assistant is to go on. UserError where the template refuses it. */
  render(messages: readonly Message[], asked?: boolean): string
  /** A conversation with what the assistant writes in it, for templates that say so by HF's `{% generation %}`; else null. */
  readonly marked: ((messages: readonly Message[]) => Marked) | null
}

/** Characters of Unicode's private area that a text lacks. */
export function unusedCharacters(text: string, count: number): string[] {
  const found: string[] = []
  for (let code = 0xe000; found.length < count; code++) if (!text.includes(String.fromCharCode(code))) found.push(String.fromCharCode(code))
  return found
}

/** A block that is called with what it holds, as transformers has it; the line's end behind a tag is no part of the text. */
const MARKING = '{% macro marked_turn() %}{{ turn_start }}{{ caller() }}{{ turn_end }}{% endmacro %}\n'
const withMarks = (source: string): string =>
  MARKING +
  source
    .replace(/\{%([-+]?)\s*generation\s*([-+]?)%\}/g, '{%$1 call marked_turn() $2%}')
    .replace(/\{%([-+]?)\s*endgeneration\s*([-+]?)%\}/g, '{%$1 endcall $2%}')

function spansIn(text: string, start: string, end: string): Marked {
  const spans: [number, number][] = []
  let plain = ''
  for (const part of text.split(start)) {
    const [own, ...rest] = part.split(end)
    if (rest.length > 0) spans.push([plain.length, plain.length + own!.length])
    plain += own! + rest.join('')
  }
  return { text: plain, spans }
}

type Filled = ReturnType<typeof exactTemplate>

/** A template in Jinja's language; `words` are the special tokens by their names, such as `bos_token`. UserError for one that is none. */
export function chatTemplate(source: string, words: Readonly<Record<string, string>>, where: string): ChatTemplate {
  const told = <T>(what: string, make: () => T): T => {
    try {
      return make()
    } catch (error) {
      throw new UserError(`${where}: the chat template ${what} (${(error as Error).message}).`)
    }
  }
  const parsed = (text: string): Filled => told('cannot be read', () => exactTemplate(text))
  const fill = (template: Filled, messages: readonly Message[], asked: boolean, marks = {}): string =>
    told('refuses the conversation', () =>
      template({ ...words, ...marks, messages, add_generation_prompt: asked, tools: null, documents: null }),
    )
  const plain = parsed(source)
  const marking = /\{%[-+]?\s*generation\s*[-+]?%\}/.test(source) ? parsed(withMarks(source)) : null
  return {
    render: (messages, asked = false) => fill(plain, messages, asked),
    marked:
      marking &&
      ((messages) => {
        const [start, end] = unusedCharacters(source + JSON.stringify(messages), 2) as [string, string]
        return spansIn(fill(marking, messages, false, { turn_start: start, turn_end: end }), start, end)
      }),
  }
}

const content = z.union([z.string(), z.object({ content: z.string() }).transform((token) => token.content)])
const settings = z.object({
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
})

/** The chat template of a model folder, or `own` in its place. UserError where there is none. */
export function openChatTemplate(folder: string, own: string | null): ChatTemplate {
  const config = readSettings(folder, 'tokenizer_config.json')
  const words = Object.entries(config).flatMap(([name, value]) => {
    const word = name.endsWith('_token') ? content.safeParse(value).data : undefined
    return word === undefined ? [] : [[name, word] as const]
  })
  const file = join(folder, 'chat_template.jinja')
  const given = settings.safeParse(config).data?.chat_template
  const named = Array.isArray(given) ? given.find(({ name }) => name === 'default')?.template : given
  const source = own ?? (existsSync(file) ? explained(file, () => readFileSync(file, 'utf8')) : named)
  if (!source) throw new UserError(`${folder} has no chat template; give one: data.texts.chatTemplate in a run file.`)
  return chatTemplate(source, Object.fromEntries(words), own === null ? folder : 'texts.chatTemplate')
}
