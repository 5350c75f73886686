import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRun } from '../../src/config/parse.ts'
import { resume, train } from '../../src/train/run.ts'
import { readHeader } from '../../src/weights/safetensors.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { adatune, assertSameRun, command, eventsOf, projectFolder, readJson, recordOf, succeed, writeRun } from './project.ts'

const folder = projectFolder()
const here = { model: join(folder, 'model'), data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'eval.jsonl') } }
const settings = { steps: 12, learningRate: 0.01, checkpointEvery: 5, evalEvery: 6, threads: 1 }
const experts = 4

const of = { name: 'lora', r: 2, dropout: 0.1, targets: ['query', 'pooler'] }
/** Each routing with the weights that it trains at a module of width 16. */
const apart: Readonly<Record<string, { readonly routing: object; readonly weights: number }>> = {
  'top-k': { routing: { name: 'top-k', k: 3 }, weights: 2 * experts * 16 },
  switch: { routing: { name: 'switch', balance: 0.1, capacity: 1, jitter: 0.05 }, weights: experts * 16 },
  prototypes: { routing: { name: 'prototypes', k: 2 }, weights: experts * 16 },
  hash: { routing: { name: 'hash', seed: 5 }, weights: 0 },
  base: { routing: { name: 'base' }, weights: experts * 16 },
}
/** A LoRA module with A for each expert and one B. */
const module = (many: number): number => many * 2 * 16 + 2 * 16

function write(name: string, method: object, more: object = {}): void {
  writeRun(folder, `${name}.yaml`, { ...here, method: { name: 'adamix', of, experts, ...method }, train: settings, ...more })
}

async function trained(name: string, method: object, more: object = {}): Promise<string> {
  write(name, method, more)
  const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name, '--quiet'], folder)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return join(folder, name)
}

const runs = new Map<string, Promise<string>>()
const runOf = (name: string): Promise<string> => {
  if (!runs.has(name)) runs.set(name, trained(name, { routing: apart[name]!.routing }))
  return runs.get(name)!
}

for (const [name, { weights }] of Object.entries(apart)) {
  test(`${name}: a run ends in a folder that evaluates to its metrics, predicts, and counts its weights`, async () => {
    const out = await runOf(name)
    assert.ok(!existsSync(join(out, 'experts.safetensors')))
    assert.deepEqual(readdirSync(join(out, 'adapter')).sort(), ['adapter.safetensors', 'adatune.json'])
    const metrics = readJson(out, 'metrics.json')
    const counted = 3 * (module(experts) + weights)
    assert.deepEqual([metrics.trained, metrics.merged], [counted, counted])
    const { tensors } = readHeader(join(out, 'adapter/adapter.safetensors'))
    const held = [...tensors]
      .filter(([tensor]) => !tensor.startsWith('classifier'))
      .reduce((sum, [, { shape }]) => sum + shape.reduce((n, dim) => n * dim, 1), 0)
    assert.equal(held, counted)
    const [routes] = eventsOf(recordOf(out)).filter(({ event }) => event === 'routes')
    assert.equal(routes!.step, 10)
    assert.equal((routes!.utilisation as number[]).length, experts)

    const evaluated = JSON.parse(
      await succeed(['eval', '--model', 'model', '--adapter', `${name}/adapter`, '--data', 'eval.jsonl'], folder),
    ) as Record<string, number>
    assertNear([evaluated.loss!, evaluated.accuracy!], [Number(metrics.loss), Number(metrics.accuracy)], 1e-5)
    const answers = await succeed(['predict', '--model', 'model', '--adapter', `${name}/adapter`, '--data', 'eval.jsonl'], folder)
    for (const asked of ['eval', 'predict']) {
      const routed = [asked, '--model', 'model', '--adapter', `${name}/adapter`, '--data', 'eval.jsonl', '--inference', 'random']
      const { code, stderr } = await command(routed, folder)
      assert.equal(code, 2)
      assert.match(stderr, new RegExp(`keeps its experts, and their routing "${name}" chooses among them.*Use the inference "merged"`))
    }
    assert.equal(answers.trim().split('\n').length, 24)
    const inspected = JSON.parse(await succeed(['inspect', '--model', 'model', '--adapter', `${name}/adapter`, '--json'], folder)) as {
      method: { training: { weights: number }; merged: { weights: number }; options: { routing: { name: string } } }
    }
    assert.deepEqual([inspected.method.training.weights, inspected.method.merged.weights], [counted, counted])
    assert.equal(inspected.method.options.routing.name, name)
  })

  test(`${name}: a run that stops and goes on ends in the bytes of an unbroken one`, async () => {
    const whole = await runOf(name)
    const out = join(folder, `${name}-stopped`)
    let asked = 0
    const { finished } = await train(readRun(join(folder, `${name}.yaml`)), { out, stopRequested: () => ++asked > 7 })
    assert.ok(!finished)
    assert.ok((await resume(out)).finished)
    assertSameRun(out, whole)
  })
}

test('by example a run ends in an ordinary adapter, and goes on to the same bytes', async () => {
  const routing = { name: 'uniform', per: 'example' }
  const whole = await trained('example', { routing })
  assert.ok(existsSync(join(whole, 'experts.safetensors')))
  assert.ok(existsSync(join(whole, 'adapter/adapter_config.json')))
  const { trained: all, merged } = readJson(whole, 'metrics.json')
  assert.deepEqual([all, merged], [3 * module(experts), 3 * module(1)])
  assert.ok(eventsOf(recordOf(whole)).some(({ event, consistency }) => event === 'step' && Number(consistency) > 0))
  const out = join(folder, 'example-stopped')
  let asked = 0
  await train(readRun(join(folder, 'example.yaml')), { out, stopRequested: () => ++asked > 7 })
  await resume(out)
  assertSameRun(out, whole)
})

test('experts that stay apart are not merged into the weights', async () => {
  await runOf('switch')
  const { code, stderr } = await adatune(['merge', '--model', 'model', '--adapter', 'switch/adapter', '--out', 'merged'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /^adatune: adamix with routing switch cannot be merged into the weights[^\n]*\n$/)
})

test('a run starts from such a folder, and from no other kind of routing', async () => {
  const before = await runOf('switch')
  const { routing } = apart.switch!
  const adapter = join(before, 'adapter')
  const started = await trained(
    'from-switch',
    { routing: { ...routing, balance: 0 } },
    { adapter, train: { ...settings, steps: 1, learningRate: 0 } },
  )
  assertNear([Number(readJson(started, 'metrics.json').loss)], [Number(readJson(before, 'metrics.json').loss)], 1e-6)
  write('from-other', { routing: { name: 'base' } }, { adapter })
  const { code, stderr } = await command(['train', 'from-other.yaml', '--out', 'from-other', '--quiet'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /was made with routing \{"name":"switch"\}, but the run's method has \{"name":"base"\}/)
})

test('a folder without its note, or with a damaged one, is refused', async () => {
  const copy = join(folder, 'damaged')
  cpSync(join(await runOf('hash'), 'adapter'), copy, { recursive: true, filter: (file) => !file.endsWith('adatune.json') })
  const { code, stderr } = await command(['eval', '--model', 'model', '--adapter', 'damaged', '--data', 'eval.jsonl'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /holds no adapter that is known/)
})

test('AdaLoRA under a router keeps its final ranks in the folder', async () => {
  const adalora = { name: 'adalora', initR: 3, targetR: 1, tInit: 1, tFinal: 6, deltaT: 1, targets: ['query', 'value'] }
  const out = await trained('adalora', { of: adalora, routing: { name: 'top-k' } })
  const { tensors } = readHeader(join(out, 'adapter/adapter.safetensors'))
  const ranks = [...tensors].flatMap(([name, { shape }]) => (name.endsWith('E.weight') ? [shape[1]!] : []))
  assert.equal(
    ranks.reduce((sum, rank) => sum + rank, 0),
    4,
  )
  const evaluated = JSON.parse(
    await succeed(['eval', '--model', 'model', '--adapter', 'adalora/adapter', '--data', 'eval.jsonl'], folder),
  ) as { loss: number }
  assertNear([evaluated.loss], [Number(readJson(out, 'metrics.json').loss)], 1e-5)
})
