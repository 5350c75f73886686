import assert from 'node:assert/strict'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { makeFolder } from './file-access.ts'

test('a folder is made with those above it, and may be there already', () => {
  const folder = join(temporaryFolder(), 'a/b/c')
  for (let times = 0; times < 2; times++) makeFolder(folder)
  assert.ok(statSync(folder).isDirectory())
})

test('where no folder can be made, the reason is told', () => {
  const above = temporaryFolder()
  writeFileSync(join(above, 'file'), '')
  symlinkSync('nowhere', join(above, 'link'))
  const says = (name: string, reason: RegExp): void =>
    assert.throws(() => makeFolder(join(above, name)), { name: 'UserError', message: reason })
  says('file', /file: there is a file of this name/)
  says('file/a/b', /file\/a\/b: part of the path is no folder/)
  says('link/a', /link\/a: there is a file of this name/)
  if (process.platform === 'linux') assert.throws(() => makeFolder('/proc/adatune/a'), { name: 'UserError' })
})
