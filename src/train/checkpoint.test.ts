import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { isWhole, readCheckpoint, stepFolder, writeCheckpoint } from './checkpoint.ts'

const state = new Map([['a.weight', { shape: [2], data: Float32Array.of(1, 2) }]])

test('a checkpoint is read as it was written, whole, and takes the place of an older one', () => {
  const root = join(temporaryFolder(), 'checkpoints')
  const folder = stepFolder(root, 3)
  for (const tokens of [1, 2]) {
    writeCheckpoint(folder, state, { tokens })
    assert.ok(isWhole(folder))
    assert.deepEqual(readCheckpoint(folder), { state, progress: { tokens } })
    assert.deepEqual(readdirSync(root), ['step-00000003'])
  }
})

test('a file in the place of the checkpoints is told in a sentence', () => {
  const root = join(temporaryFolder(), 'checkpoints')
  writeFileSync(root, '')
  assert.throws(() => writeCheckpoint(stepFolder(root, 3), state, {}), UserError)
})
