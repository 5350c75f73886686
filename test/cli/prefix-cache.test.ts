import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRun } from '../../src/config/parse.ts'
import { UserError } from '../../src/errors.ts'
import { foretell } from '../../src/train/forecast/foretell.ts'
import { resume, train } from '../../src/train/run.ts'
import type { RunSummary } from '../../src/train/run-summary.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import {
  assertSameRun,
  eventsOf,
  jsonLines,
  projectFolder,
  readJson,
  recordOf,
  start,
  stepsDone,
  textRows,
  until,
  writeRun,
} from './project.ts'

const still = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, num_hidden_layers: 3 }
const folder = projectFolder({ fields: still })
writeFileSync(join(folder, 'texts.jsonl'), jsonLines(textRows(24, 'texts')))
const here = { model: join(folder, 'model'), data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'eval.jsonl') } }
const settings = { steps: 24, evalEvery: 8, keepBest: 'loss', checkpointEvery: 4, learningRate: 0.01, threads: 1 }
const last = { layers: 'last 1' }
const lora = { name: 'lora', r: 2, ...last }

/** Writes a run file and gives what it says. */
function written(name: string, { train: changes = {}, ...rest }: { train?: object; [key: string]: unknown }) {
  writeRun(folder, `${name}.yaml`, { ...here, method: lora, ...rest, train: { ...settings, ...changes } })
  return readRun(join(folder, `${name}.yaml`))
}

interface Ended extends RunSummary {
  readonly told: readonly string[]
  readonly losses: readonly number[]
}

async function ended(name: string, changes: Parameters<typeof written>[1]): Promise<Ended> {
  const told: string[] = []
  const out = join(folder, name)
  const summary = await train(written(name, changes), { out, notice: (text) => told.push(text) })
  const losses = eventsOf(recordOf(out)).flatMap(({ event, loss }) => (event === 'step' ? [loss as number] : []))
  return { ...summary, told, losses }
}

const methods = {
  lora: { ...lora, dropout: 0.1 },
  'adalora that shrinks': { name: 'adalora', initR: 4, targetR: 2, tInit: 4, tFinal: 8, deltaT: 3, shrink: 'final', ...last },
  'adamix in two passes': { name: 'adamix', experts: 3, of: { name: 'bottleneck', size: 4, ...last } },
}

for (const [name, method] of Object.entries(methods)) {
  test(`${name}: a run with what comes before kept is the run without, and one that is killed ends in its bytes`, async () => {
    const changes = { method, train: { groupByLength: true, accumulate: 2 } }
    const plain = await ended(`${name}-plain`, { ...changes, train: { ...changes.train, cachePrefix: false } })
    const kept = { ...changes, train: { ...changes.train, cachePrefix: true } }
    const cached = await ended(`${name}-cached`, kept)
    assertNear(cached.losses, plain.losses, 1e-4)
    assertNear([cached.metrics.loss!], [plain.metrics.loss!], 1e-4)
    assert.ok(cached.metrics.trainFlops! < plain.metrics.trainFlops!)
    assert.match(cached.told[0]!, /computed once for each row: \d+ MB, in memory/)
    for (let attempt = 0; attempt < 5; attempt++) {
      const out = join(folder, `${name}-killed-${attempt}`)
      const { child, ended: gone } = start(['train', `${name}-cached.yaml`, '--out', out, '--quiet'], folder)
      await until(() => child.exitCode !== null || stepsDone(out) >= 10, `update 10 of ${out}`)
      child.kill('SIGKILL')
      if ((await gone).signal !== 'SIGKILL') continue
      assert.ok((await resume(out)).finished)
      assertSameRun(out, join(folder, `${name}-cached`))
      return
    }
    assert.fail('no kill came before the end of the run')
  })
}

test('auto keeps what several epochs read, where nothing below is random, and says so', async () => {
  const settled = async (name: string, changes: Parameters<typeof written>[1]): Promise<unknown> => {
    const { told } = await ended(name, { ...changes, train: { steps: 14, evalEvery: 'end', keepBest: null, ...changes.train } })
    const { cachePrefix } = readJson(folder, name, 'config.json').train as { cachePrefix: unknown }
    assert.equal(told.length, cachePrefix === true ? 1 : 0, told.join())
    return cachePrefix
  }
  assert.equal(await settled('auto', {}), true)
  assert.equal(await settled('one-epoch', { train: { steps: 3 } }), false)
  assert.equal(await settled('random', { train: { dropout: 0.1 } }), false)
  assert.equal(await settled('everywhere', { method: { name: 'lora', r: 2 } }), false)
  assert.equal(await settled('off', { train: { cachePrefix: false } }), false)
})

test('what a run takes is foretold with what it keeps', async () => {
  const config = written('foretold', {})
  const found = await foretell(config)
  assert.equal(found.train.cachePrefix, true)
  const without = await foretell({ ...config, train: { ...config.train, cachePrefix: false } })
  assert.ok(found.memory.prefix > 0 && without.memory.prefix === 0)
  assert.ok(found.trainFlops < without.trainFlops && found.step.intermediateBytes <= without.step.intermediateBytes)
})

test('files of a run that ended are gone', async () => {
  const out = join(folder, 'swept')
  const left = join(out, 'prefix-0123456789abcdef.f32')
  await train(written('swept', {}), { out, stopRequested: () => true })
  writeFileSync(left, '')
  await resume(out)
  assert.ok(!existsSync(left))
})

test('where it cannot be, the demand is refused with the reason and a way out', async () => {
  const refused = (name: string, changes: Parameters<typeof written>[1], reason: RegExp): Promise<void> =>
    assert.rejects(
      train(written(name, { ...changes, train: { cachePrefix: true, ...changes.train } }), { out: join(folder, name) }),
      (error) => error instanceof UserError && reason.test(error.message),
    )
  await refused('refused-dropout', { train: { dropout: 0.1 } }, /train\.cachePrefix is true, but .* random: set train\.dropout: 0/)
  await refused('refused-everywhere', { method: { name: 'lora', r: 2 } }, /begins too low .*method\.layers: last 2/)
  const tokenizer = join(folder, 'model/tokenizer.json')
  const json = JSON.parse(readFileSync(tokenizer, 'utf8'))
  json.added_tokens.push({ ...json.added_tokens[0], id: 18, content: '[MASK]' })
  json.model.vocab['[MASK]'] = 18
  writeFileSync(tokenizer, JSON.stringify(json))
  const words = { ...here.data, train: join(folder, 'texts.jsonl'), eval: null, columns: { text: 'text' } }
  await refused('refused-words', { task: 'masked-lm', data: words, train: { keepBest: null } }, /asks rows anew in each epoch/)
})
