import assert from 'node:assert/strict'
import fs, { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { openRunLog } from './run-log.ts'

const events = [1, 2, 3].map((step) => ({ event: 'checkpoint' as const, step }))
const whole = events.map((event) => `${JSON.stringify(event)}\n`).join('')

/** The system's `writeSync` for the time of a test. */
function writing(context: TestContext, write: typeof fs.writeSync): void {
  context.mock.method(fs, 'writeSync', write)
  syncBuiltinESMExports()
  context.after(() => {
    context.mock.restoreAll()
    syncBuiltinESMExports()
  })
}

test('the record is whole where the system writes less than it is asked', (context) => {
  const { writeSync } = fs
  // Three bytes at a time.
  writing(context, ((fd: number, bytes: Uint8Array, at: number, length: number, position: number) =>
    writeSync(fd, bytes, at, Math.min(length, 3), position)) as typeof fs.writeSync)
  const file = join(temporaryFolder(), 'run.jsonl')
  const log = openRunLog(file, 0)
  for (const event of events) log.append(event)
  assert.equal(log.sync(), whole.length)
  log.close()
  assert.equal(readFileSync(file, 'utf8'), whole)
})

test('a record that goes on is cut to where its checkpoint stands', () => {
  const file = join(temporaryFolder(), 'run.jsonl')
  const first = openRunLog(file, 0)
  first.append(events[0]!)
  const bytes = first.sync()
  first.append({ event: 'checkpoint', step: 99 })
  first.close()
  const second = openRunLog(file, bytes)
  for (const event of events.slice(1)) second.append(event)
  second.close()
  assert.equal(readFileSync(file, 'utf8'), whole)
})

test('a full disk is told in a sentence, and so is a folder in the place of the record', (context) => {
  const folder = temporaryFolder()
  const file = join(folder, 'run.jsonl')
  const log = openRunLog(file, 0)
  writing(context, () => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })
  })
  assert.throws(() => log.append(events[0]!), new UserError(`${file}: the disk is full; free some space and run again.`))
  log.close()
  assert.throws(() => openRunLog(folder, 0), new UserError(`${folder}: it is a folder; give a file.`))
})
