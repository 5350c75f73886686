import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from '../../src/data/read-rows.ts'

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Rows in the order that a hash of a text about each gives: a sample that is the same wherever it is taken. */
export function shuffledBy(rows: readonly Row[], textOf: (row: Row) => unknown): Row[] {
  return rows
    .map((row) => [hashOf(String(textOf(row))), row] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row)
}

/** Rows as a file below `work`, named after their number. */
export function writtenRows(work: string, name: string, rows: readonly Row[]): { path: string; count: number } {
  mkdirSync(work, { recursive: true })
  const path = join(work, `${name}-${rows.length}.jsonl`)
  writeFileSync(path, rows.map(({ values }) => `${JSON.stringify(Object.fromEntries(values))}\n`).join(''))
  return { path, count: rows.length }
}
