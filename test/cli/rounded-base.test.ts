import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertNear } from '../behaviour/tiny-model.ts'
import { assertSameRun, command, eventsOf, projectFolder, recordOf, succeed, writeRun } from './project.ts'

const folder = projectFolder()

/** Bases, the bits of a weight, and how far losses and answers may be off from those in float32. */
const rounded = [
  { base: 'int8', bits: 8, losses: 0.05, answers: 0.1 },
  { base: 'int4', bits: 4, losses: 0.2, answers: 0.4 },
] as const

async function trained(name: string, base: string): Promise<{ folder: string; told: string }> {
  writeRun(folder, `${name}.yaml`, { base, train: { steps: 6, evalEvery: 3, learningRate: 0.01 } })
  const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name], folder)
  assert.equal(code, 0, stderr)
  return { folder: join(folder, name), told: stderr }
}

const losses = (run: string): number[] =>
  eventsOf(recordOf(run)).flatMap(({ event, loss }) => (event === 'step' || event === 'eval' ? [loss as number] : []))

for (const { base, bits, losses: most } of rounded) {
  test(`a run with its frozen weights in ${bits} bits tells what that costs, goes nearly the same way, and is repeated exactly`, async () => {
    const exact = await trained(`exact-${base}`, 'float32')
    const own = await trained(`rounded-${base}`, base)
    const again = await trained(`again-${base}`, base)
    const told = new RegExp(`Frozen weights in ${bits} bits: on random tokens the hidden states are off by \\d+\\.\\d %`)
    assert.match(own.told, told)
    assert.doesNotMatch(exact.told, / bits/)
    assertNear(losses(own.folder), losses(exact.folder), most)
    assert.notDeepEqual(losses(own.folder), losses(exact.folder))
    assertSameRun(again.folder, own.folder)
  })
}

test('an unknown base is refused with those that there are', async () => {
  writeRun(folder, 'wrong.yaml', { base: 'int5' as 'int8' })
  const { code, stderr } = await command(['train', 'wrong.yaml'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /wrong\.yaml.*base.*float32.*int8.*int4/s)
})

test('eval and predict answer with frozen weights in fewer bits, nearly as in float32 and told so', async () => {
  const adapter = (await trained('answering', 'float32')).folder
  const answers = async (base: string): Promise<{ scores: number[]; metrics: Record<string, number> }> => {
    const given = ['--model', 'model', '--adapter', join(adapter, 'adapter'), '--data', 'eval.jsonl', '--base', base]
    const lines = (await succeed(['predict', ...given, '--logits', '--quiet'], folder)).trim().split('\n')
    const scores = lines.flatMap((line) => (JSON.parse(line) as { logits: number[] }).logits)
    return { scores, metrics: JSON.parse(await succeed(['eval', ...given, '--quiet'], folder)) }
  }
  const exact = await answers('float32')
  const given = ['--model', 'model', '--adapter', join(adapter, 'adapter'), '--data', 'eval.jsonl']
  for (const { base, bits, losses: most, answers: share } of rounded) {
    const own = await answers(base)
    assert.notDeepEqual(own.scores, exact.scores)
    assertNear(own.scores, exact.scores, share * Math.max(...exact.scores.map(Math.abs)))
    assert.ok(Math.abs(own.metrics.loss! - exact.metrics.loss!) < most, `${own.metrics.loss} for ${exact.metrics.loss}`)
    const told = await command(['eval', ...given, '--base', base], folder)
    assert.match(told.stderr, new RegExp(`Frozen weights in ${bits} bits`))
  }
  const wrong = await command(['predict', ...given, '--base', 'int5'], folder)
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /--base int5: known are float32, int8, int4/)
})

test('generate and chat take a base by name', async () => {
  for (const args of [
    ['generate', '--model', 'model', '--text', 'a'],
    ['chat', '--model', 'model'],
  ]) {
    const wrong = await command([...args, '--base', 'int5'], folder)
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /--base int5: known are float32, int8, int4/)
  }
})
