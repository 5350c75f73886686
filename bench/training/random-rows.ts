import { existsSync, writeFileSync } from 'node:fs'
import type { TaskName } from '../../src/heads/index.ts'
import { stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'

/** The first ids of vocabularies are left to special tokens. */
export const SPECIAL = 1000

export interface RandomRows {
  readonly task: TaskName
  readonly rows: number
  readonly tokens: number
  /** Tokens that are written, of a model that reads one text and writes another. */
  readonly written?: number
  /** The vocabulary has so many words behind its special tokens. */
  readonly words?: number
}

/** A file of rows of random tokens, as a function of a key; made once. */
export function randomRows(file: string, key: string, { task, rows, tokens, written = 0, words = 20_000 }: RandomRows): string {
  if (existsSync(file)) return file
  const { below } = stream(keyOf(key, 'rows'))
  const ids = (count: number): number[] => Array.from({ length: count }, () => SPECIAL + below(words))
  const lines = Array.from({ length: rows }, (_, row) => {
    const input_ids = ids(tokens)
    if (task === 'sequence-classification') return JSON.stringify({ input_ids, label: row % 2 })
    return JSON.stringify({ input_ids, labels: written > 0 ? ids(written) : input_ids })
  })
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
