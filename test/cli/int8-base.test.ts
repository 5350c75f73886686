import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertNear } from '../behaviour/tiny-model.ts'
import { assertSameRun, command, eventsOf, projectFolder, recordOf, writeRun } from './project.ts'

const folder = projectFolder()

async function trained(name: string, base: string): Promise<{ folder: string; told: string }> {
  writeRun(folder, `${name}.yaml`, { base, train: { steps: 6, evalEvery: 3, learningRate: 0.01 } })
  const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name], folder)
  assert.equal(code, 0, stderr)
  return { folder: join(folder, name), told: stderr }
}

const losses = (run: string): number[] =>
  eventsOf(recordOf(run)).flatMap(({ event, loss }) => (event === 'step' || event === 'eval' ? [loss as number] : []))

test('a run with its frozen weights in 8 bits tells what that costs, goes nearly the same way, and is repeated exactly', async () => {
  const exact = await trained('exact', 'float32')
  const rounded = await trained('rounded', 'int8')
  const again = await trained('again', 'int8')
  assert.match(rounded.told, /Frozen weights in 8 bits: on random tokens the hidden states are off by \d\.\d %/)
  assert.doesNotMatch(exact.told, /8 bits/)
  assertNear(losses(rounded.folder), losses(exact.folder), 0.05)
  assert.notDeepEqual(losses(rounded.folder), losses(exact.folder))
  assertSameRun(again.folder, rounded.folder)
})

test('an unknown base is refused with those that there are', async () => {
  writeRun(folder, 'wrong.yaml', { base: 'int4' as 'int8' })
  const { code, stderr } = await command(['train', 'wrong.yaml'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /wrong\.yaml.*base.*float32.*int8/s)
})
