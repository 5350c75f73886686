import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Ended, eventsOf, projectFolder, recordOf, start, writeRun } from './project.ts'

/** Runs the command line for a reader who is gone before the first line. */
function unread(args: readonly string[], folder: string): Promise<Ended> {
  const { child, ended } = start(args, folder)
  child.stdout!.destroy()
  return ended
}

test('a command whose reader is gone ends quietly', async () => {
  const { code, stderr } = await unread(['schema'], projectFolder())
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
})

test('a run whose reader is gone goes on, and says so once', async () => {
  const folder = projectFolder()
  writeRun(folder, 'run.yaml', {})
  const { code, stderr } = await unread(['train', 'run.yaml', '--out', 'run', '--json'], folder)
  assert.deepEqual([code, stderr], [0, 'Nobody reads stdout any more; the run goes on, and its record is run.jsonl in its folder.\n'])
  assert.equal(eventsOf(recordOf(join(folder, 'run'))).at(-1)!.event, 'done')
})
