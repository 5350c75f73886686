import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonLines } from '../../src/data/jsonl.ts'
import type { Row } from '../../src/data/read-rows.ts'

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Things in the order that a hash of a text about each gives: a sample that is the same wherever it is taken. */
export function shuffledBy<Item>(items: readonly Item[], textOf: (item: Item) => unknown): Item[] {
  return items
    .map((item) => [hashOf(String(textOf(item))), item] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item)
}

/** Rows as a file below `work`, named after their number. */
export function writtenRows(work: string, name: string, rows: readonly Row[]): { path: string; count: number } {
  mkdirSync(work, { recursive: true })
  const path = join(work, `${name}-${rows.length}.jsonl`)
  writeFileSync(path, jsonLines(rows))
  return { path, count: rows.length }
}
