import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../errors.ts'
import { memoryWarning } from './memory-room.ts'

test('a run that fits is let be, one that may not is warned of, one that cannot is refused', () => {
  assert.equal(memoryWarning(8e9, 8e9), null)
  assert.match(memoryWarning(9e9, 8e9)!, /^It is foretold to need about 9 GB of memory, and this machine has 8 GB; train\.memoryLimit/)
  assert.throws(
    () => memoryWarning(267e12, 8e9),
    (error) => error instanceof UserError && /^This run is foretold to need about 267000 GB/.test(error.message),
  )
})
