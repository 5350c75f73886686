import { assistantTurns, endOfTurn } from '../data/assistant-turns.ts'
import { asked, conversationIn, type Message } from '../data/conversations.ts'
import { type Example, type Item, modelTokens } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { at } from '../data/row.ts'
import { UserError } from '../errors.ts'
import type { Source } from './task.ts'

/**
 * Conversations as the model's chat template writes them. Labelled ones are read to their end, and what the assistant writes is asked for;
 * others up to where it is asked.
 */
export function conversations(rows: readonly Row[], column: string, source: Source): Item[] {
  const { reading, labelled } = source
  const tokenizer = source.tokenizer()
  const template = tokenizer.chat(reading.texts.chatTemplate)
  const most = Math.min(reading.maxLength, source.maxPositions)
  const tokensOf = (ids: readonly number[], row: Row) => modelTokens({ ids: [...ids], types: ids.map(() => 0) }, row, source)

  function told(messages: readonly Message[], row: Row): Omit<Example, 'file' | 'line'> {
    const { text, spans } = assistantTurns(template, messages, at(row))
    const { ids, starts, ends } = tokenizer.locate(text)
    // A space is told by where it ends.
    const own = (k: number): boolean =>
      spans.some(([from, to]) => ends[k]! > from && (starts[k]! < to || (starts[k] === ends[k] && ends[k]! <= to)))
    const label = ids.map((id, k) => (reading.texts.loss === 'all' || own(k) ? id : -100)).slice(0, most)
    if (!label.some((id, k) => k > 0 && id >= 0)) {
      const cut = ids.length > most ? `, of which ${most} tokens are read; raise maxLength` : '; leave it out'
      throw new UserError(`${at(row)}: the assistant says nothing in this conversation${cut}.`)
    }
    return { ...tokensOf(ids.slice(0, most), row), label }
  }

  const ends = labelled ? [] : endOfTurn(template, tokenizer)
  function question(messages: readonly Message[], row: Row): Omit<Example, 'file' | 'line'> {
    const ids = tokenizer.tokens(template.render(messages, true))
    if (ids.length <= most) return { ...tokensOf(ids, row), label: null, ends }
    throw new UserError(`${at(row)}: the conversation has ${ids.length} tokens, and ${most} are read; raise maxLength or shorten it.`)
  }

  return rows.map((row) => {
    const place = { file: row.file, line: row.line }
    const messages = conversationIn(row, column)
    return { ...place, examples: [{ ...place, ...(labelled ? told(messages, row) : question(asked(messages).messages, row)) }] }
  })
}
