import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { replaceFolder } from './folder-replacement.ts'

const put = (folder: string, text: string): void =>
  replaceFolder(folder, 'mark', ['mark', 'data'], (into) => {
    writeFileSync(join(into, 'mark'), text)
  })

test('a folder is made, with those above it, and replaced whole', () => {
  const folder = join(temporaryFolder(), 'a', 'b')
  put(folder, 'one')
  writeFileSync(join(folder, 'data'), 'old')
  put(folder, 'two')
  assert.deepEqual(readdirSync(folder), ['mark'])
  assert.equal(readFileSync(join(folder, 'mark'), 'utf8'), 'two')
  assert.deepEqual(readdirSync(dirname(folder)), ['b'])
})

test('where writing fails, the old folder stays and nothing is left beside it', () => {
  const folder = join(temporaryFolder(), 'a')
  put(folder, 'one')
  const fail = (): void =>
    replaceFolder(folder, 'mark', ['mark'], (into) => {
      writeFileSync(join(into, 'mark'), 'half')
      throw new Error('broken')
    })
  assert.throws(fail, /broken/)
  assert.equal(readFileSync(join(folder, 'mark'), 'utf8'), 'one')
  assert.deepEqual(readdirSync(dirname(folder)), ['a'])
})

test('an empty folder is filled; one with files of others is left alone', () => {
  const folder = join(temporaryFolder(), 'a')
  mkdirSync(folder)
  put(folder, 'one')
  writeFileSync(join(folder, 'notes.txt'), 'mine')
  assert.throws(
    () => put(folder, 'two'),
    (error) => error instanceof UserError && /notes\.txt/.test(error.message),
  )
  assert.equal(readFileSync(join(folder, 'mark'), 'utf8'), 'one')
})

test('known names without the mark are files of others too', () => {
  const folder = join(temporaryFolder(), 'a')
  mkdirSync(folder)
  writeFileSync(join(folder, 'data'), 'model')
  assert.throws(() => put(folder, 'one'), UserError)
  assert.deepEqual(readdirSync(folder), ['data'])
})
