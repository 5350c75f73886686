import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertNear } from '../behaviour/tiny-model.ts'
import { assertSameRun, command, eventsOf, projectFolder, recordOf, succeed, writeRun } from './project.ts'

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

test('eval and predict answer with frozen weights in 8 bits, nearly as in float32 and told so', async () => {
  const adapter = (await trained('answering', 'float32')).folder
  const answers = async (base: string): Promise<{ scores: number[]; metrics: Record<string, number> }> => {
    const given = ['--model', 'model', '--adapter', join(adapter, 'adapter'), '--data', 'eval.jsonl', '--base', base]
    const lines = (await succeed(['predict', ...given, '--logits', '--quiet'], folder)).trim().split('\n')
    const scores = lines.flatMap((line) => (JSON.parse(line) as { logits: number[] }).logits)
    return { scores, metrics: JSON.parse(await succeed(['eval', ...given, '--quiet'], folder)) }
  }
  const [exact, rounded] = [await answers('float32'), await answers('int8')]
  assert.notDeepEqual(rounded.scores, exact.scores)
  assertNear(rounded.scores, exact.scores, 0.1 * Math.max(...exact.scores.map(Math.abs)))
  assert.ok(Math.abs(rounded.metrics.loss! - exact.metrics.loss!) < 0.05, `${rounded.metrics.loss} for ${exact.metrics.loss}`)
  const given = ['--model', 'model', '--adapter', join(adapter, 'adapter'), '--data', 'eval.jsonl']
  const told = await command(['eval', ...given, '--base', 'int8'], folder)
  assert.match(told.stderr, /Frozen weights in 8 bits/)
  const wrong = await command(['predict', ...given, '--base', 'int4'], folder)
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /--base int4: known are float32, int8/)
})
