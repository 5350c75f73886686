import { createHash, hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { Row } from '../data/read-rows.ts'
import type { TokenStore } from '../data/tokenizer.ts'
import { dependencies, version } from '../package.ts'
import { writeAtomically } from '../weights/atomic-file.ts'
import { digestOf } from '../weights/digest.ts'
import { makeFolder } from '../weights/file-access.ts'

const FEWEST_ROWS = 500
const MOST_TOKENS = 1 << 26
const DIGEST_BYTES = 32

/** What tokens depend on besides a tokenizer's settings. */
const programs: readonly string[] = [version, dependencies['@huggingface/tokenizers']!]

/** Of the texts in rows: which file is looked into, but not what is found there, which goes by each text. */
function digestOfRows(rows: readonly Row[]): string {
  const all = createHash('sha256')
  for (const { values } of rows) {
    for (const [column, value] of values) if (typeof value === 'string') all.update(JSON.stringify([column, value]))
  }
  return all.digest('hex')
}

/** Tokens of texts, one after another, by the texts' hashes. */
interface Kept {
  readonly hashes: readonly string[]
  /** Where the tokens of each end. */
  readonly ends: Int32Array
  readonly ids: Int32Array
}

const hashOf = (text: string): string => hash('sha256', text, 'base64url').slice(0, 20)

/** Null where there is none, or it is damaged or of another form. */
function read(file: string): Map<string, Int32Array> | null {
  if (!existsSync(file)) return null
  try {
    const bytes = readFileSync(file)
    const content = bytes.subarray(DIGEST_BYTES)
    if (digestOf(content) !== bytes.subarray(0, DIGEST_BYTES).toString('hex')) return null
    const { hashes, ends, ids } = deserialize(content) as Kept
    return new Map(hashes.map((name, i) => [name, ids.subarray(i === 0 ? 0 : ends[i - 1], ends[i])]))
  } catch {
    return null
  }
}

function write(file: string, tokens: ReadonlyMap<string, ArrayLike<number>>): void {
  let end = 0
  const ends = Int32Array.from([...tokens.values()], ({ length }) => (end += length))
  if (end > MOST_TOKENS) return
  const ids = new Int32Array(end)
  for (const [i, each] of [...tokens.values()].entries()) ids.set(each, ends[i]! - each.length)
  const content = serialize({ hashes: [...tokens.keys()], ends, ids } satisfies Kept)
  writeAtomically(file, (append) => {
    append(Buffer.from(digestOf(content), 'hex'))
    append(content)
  })
}

/** The tokens of the texts in some rows. */
export interface RowTokens extends TokenStore {
  /** Keeps those that were made since the store was opened. */
  keep(): void
}

/**
 * Tokens of the texts of many rows as a tokenizer of these settings made them before, kept below `cacheRoot`; null for few rows, which are
 * tokenised sooner. UserError where the cache cannot be written.
 */
export function openTokenStore(settings: object, rows: readonly Row[], cacheRoot: string): RowTokens | null {
  if (rows.length < FEWEST_ROWS) return null
  const key = digestOf(Buffer.from(JSON.stringify([programs, settings, digestOfRows(rows)])))
  const folder = join(cacheRoot, 'tokens')
  const file = join(folder, key)
  const tokens = new Map<string, ArrayLike<number>>(read(file) ?? [])
  const known = tokens.size
  return {
    tokensOf(text, make) {
      const name = hashOf(text)
      const found = tokens.get(name)
      if (found) return Array.from(found)
      const made = make()
      tokens.set(name, made)
      return made
    },
    keep() {
      if (tokens.size === known) return
      makeFolder(folder)
      write(file, tokens)
    },
  }
}
