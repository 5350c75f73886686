import { UserError } from '../errors.ts'
import { type ChatTemplate, type Marked, unusedCharacters } from './chat-template.ts'
import type { Message } from './conversations.ts'
import type { Tokenizer } from './tokenizer.ts'

/** What a template puts after a message, where another text stands in the place of its content; null where that does not come once. */
function behind({ render }: ChatTemplate, messages: readonly Message[], index: number): string | null {
  const [stand] = unusedCharacters(JSON.stringify(messages), 1) as [string]
  const parts = render(messages.with(index, { ...messages[index]!, content: stand })).split(stand)
  return parts.length === 2 ? parts[1]! : null
}

/**
 * Where the assistant writes message `index`: from where it is asked, to what ends its turn when nothing follows, spaces aside. Null where
 * the whole conversation does not have both in these places.
 */
function turnIn(template: ChatTemplate, messages: readonly Message[], index: number, text: string): readonly [number, number] | null {
  const before = template.render(messages.slice(0, index), true)
  const rest = behind(template, messages, index)
  const ending = behind(template, messages.slice(0, index + 1), index)?.trimEnd()
  if (rest === null || ending === undefined) return null
  const end = text.length - rest.length + ending.length
  return text.startsWith(before) && text.endsWith(rest) && rest.startsWith(ending) && end > before.length ? [before.length, end] : null
}

/**
 * A conversation as a text, with what the assistant writes in it: what the template marks, else what is found by rendering parts of it.
 * @throws UserError where the template does not mark it and renders a part otherwise than the whole
 */
export function assistantTurns(template: ChatTemplate, messages: readonly Message[], where: string): Marked {
  if (template.marked) return template.marked(messages)
  const text = template.render(messages)
  const spans = messages.flatMap(({ role }, i) => {
    if (role !== 'assistant') return []
    const span = turnIn(template, messages, i, text)
    if (span) return [span]
    throw new UserError(
      `${where}: the chat template writes message ${i + 1} otherwise with what surrounds it, so that where the assistant's turn begins and ` +
        'ends cannot be told; give data.texts.chatTemplate, a template that marks it by {% generation %}.',
    )
  })
  return { text, spans }
}

/** The special token that a template ends the assistant's turns with; none where there is no such token. */
export function endOfTurn(template: ChatTemplate, { tokens, special }: Pick<Tokenizer, 'tokens' | 'special'>): number[] {
  const messages: Message[] = [
    { role: 'user', content: 'Hello.' },
    { role: 'assistant', content: 'Hello.' },
  ]
  const [first] = tokens(behind(template, messages, 1)?.trim() ?? '')
  return first !== undefined && special.all.has(first) ? [first] : []
}
