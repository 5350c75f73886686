import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after as atEnd, test } from 'node:test'
import { digestOf } from './digest.ts'
import { rememberedDigest } from './remembered-digest.ts'

const folder = mkdtempSync(join(tmpdir(), 'adatune-'))
atEnd(() => rmSync(folder, { recursive: true, force: true }))

const digest = (text: string): string => digestOf(Buffer.from(text))
const notes = (cache: string): string[] =>
  readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))

test('what was hashed is remembered once the file has settled, and not believed when the file has become another', () => {
  const [file, other, cache] = ['weights', 'other', 'cache'].map((name) => join(folder, name)) as [string, string, string]
  /** What is said so long after the file's last change. */
  const after = (ms: number): string => rememberedDigest(file, cache, statSync(file).ctimeMs + ms)
  writeFileSync(file, 'aaaa')
  assert.equal(after(1900), digest('aaaa'))
  assert.throws(() => notes(cache), /ENOENT/, 'a file that was just written is not remembered')
  assert.equal(after(2100), digest('aaaa'))
  const [note] = notes(cache)
  // Only a note that is read can say this.
  const told = join(cache, note!)
  writeFileSync(told, readFileSync(told, 'utf8').replace(digest('aaaa'), 'as noted'))
  assert.equal(after(1900), 'as noted')

  // The same size and time of change, by another file in its place.
  const { atime, mtime } = statSync(file)
  writeFileSync(other, 'bbbb')
  utimesSync(other, atime, mtime)
  renameSync(other, file)
  assert.equal(after(1900), digest('bbbb'))
  // The same file, its time of change put back.
  writeFileSync(file, 'cccc')
  utimesSync(file, atime, mtime)
  assert.equal(after(1900), digest('cccc'))
  writeFileSync(told, 'no JSON')
  assert.equal(after(1900), digest('cccc'))
})
