import { UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import { at, type Row, shown } from './row.ts'

const roles = ['system', 'user', 'assistant'] as const

/** What someone says in a conversation. */
export interface Message {
  readonly role: (typeof roles)[number]
  readonly content: string
}

const COLUMN = 'messages'

/** The column of conversations: the one that is named, if it holds some, else `messages`; null where rows have none. */
export function conversationColumn(rows: readonly Row[], named: string | undefined): string | null {
  const values = rows[0]?.values
  if (named === undefined) return values?.has(COLUMN) ? COLUMN : null
  const cell = values?.get(named)
  return Array.isArray(cell) && cell.some(isObject) ? named : null
}

/** The messages of a row; UserError for anything else. */
export function conversationIn(row: Row, column: string): Message[] {
  const cell = row.values.get(column)
  const wrong = (what: string): UserError =>
    new UserError(`${at(row)}: "${column}" ${what}; expected a list such as [{"role": "user", "content": "..."}].`)
  if (!Array.isArray(cell) || cell.length === 0) throw wrong(`is ${shown(cell)}`)
  return cell.map((message: unknown, i) => {
    const { role, content } = isObject(message) ? message : {}
    const known = roles.find((name) => name === role)
    if (known === undefined) throw wrong(`has the role ${shown(role)} at message ${i + 1}, and known are ${roles.join(', ')}`)
    if (typeof content !== 'string') throw wrong(`has the content ${shown(content)} at message ${i + 1}`)
    return { role: known, content }
  })
}

/** A conversation up to where the assistant is asked, and what it answered last, where that is there. */
export function asked(messages: readonly Message[]): { readonly messages: readonly Message[]; readonly answer: string | null } {
  const last = messages.at(-1)
  return last?.role === 'assistant' ? { messages: messages.slice(0, -1), answer: last.content } : { messages, answer: null }
}
