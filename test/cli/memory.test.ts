import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DryRun } from '../../src/cli/dry-run.ts'
import type { RunConfig } from '../../src/config/run-config.ts'
import { stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { adatune, eventsOf, jsonLines, projectFolder, readJson, recordOf, succeed, writeRun } from './project.ts'

/** Large enough for a step to outweigh the process. */
const fields = {
  ...{ hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 4, intermediate_size: 512, max_position_embeddings: 64 },
  ...{ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
}
const folder = projectFolder({ fields })
const draws = stream(keyOf('memory'))
const rows = Array.from({ length: 128 }, (_, i) => ({
  input_ids: Array.from({ length: 60 - (i % 20) }, () => draws.below(50)),
  label: i % 2 === 0 ? 'yes' : 'no',
}))
writeFileSync(join(folder, 'long.jsonl'), jsonLines(rows))

interface Ended {
  readonly foretold: number
  readonly peak: number
  readonly losses: readonly number[]
  readonly told: string
  readonly tokensAtOnce: number | null
}

/** What a dry run foretells, and what the run then takes. */
async function run(name: string, train: object, method: object = { name: 'lora', r: 4 }): Promise<Ended> {
  const settings = { batchSize: 64, steps: 2, learningRate: 0.01, threads: 1, ...train }
  writeRun(folder, `${name}.yaml`, { method, data: { train: 'long.jsonl', eval: null }, train: settings })
  const dry: DryRun = JSON.parse(await succeed(['train', `${name}.yaml`, '--dry-run', '--json'], folder))
  const { code, stderr } = await adatune(['train', `${name}.yaml`, '--out', name], folder)
  assert.equal(code, 0, stderr)
  const events = eventsOf(recordOf(join(folder, name)))
  const [begin] = events
  assert.ok(Math.abs((begin!.memoryBytes as number) / dry.memoryBytes - 1) < 0.01, `${begin!.memoryBytes} for ${dry.memoryBytes}`)
  const losses = events.flatMap(({ event, loss }) => (event === 'step' ? [loss as number] : []))
  const { tokensAtOnce } = (readJson(join(folder, name), 'config.json') as unknown as RunConfig).train
  assert.equal(dry.train.tokensAtOnce, tokensAtOnce)
  return {
    foretold: dry.memoryBytes,
    peak: events.at(-1)!.peakMemoryBytes as number,
    losses,
    told: stderr,
    tokensAtOnce: tokensAtOnce as number | null,
  }
}

test('a dry run foretells the memory of the run: computed whole, in chunks, with layers made again', async () => {
  const whole = { tokensAtOnce: null }
  const [kept, remade, chunked] = [
    await run('kept', whole),
    await run('remade', { ...whole, recompute: 'every-1' }),
    await run('chunked', {}),
  ]
  for (const { foretold, peak } of [kept, remade, chunked])
    assert.ok(Math.abs(foretold / peak - 1) < 0.2, `${foretold} foretold, ${peak} measured`)
  for (const { peak, losses } of [remade, chunked]) {
    assert.ok(kept.peak - peak > 20e6, `${kept.peak} and ${peak}`)
    assertNear(losses, kept.losses, 1e-5)
  }
  assert.equal(chunked.tokensAtOnce, 1024)

  const limited = await run('limited', { memoryLimit: '180MB' })
  assert.match(limited.told, /To stay within 180MB: chunks of about 512 tokens; about 1\d\d MB\./)
  assert.equal(limited.tokensAtOnce, 512)
  assert.ok(limited.peak < 1.1 * 180e6, `${limited.peak}`)
  assertNear(limited.losses, kept.losses, 1e-5)
})

test('chunks of what a router makes of a batch as a whole are refused before anything is written, and not chosen', async () => {
  const method = { name: 'adamix', of: { name: 'lora', r: 2 }, routing: { name: 'switch' } }
  assert.equal((await run('routed', {}, method)).tokensAtOnce, null)
  writeRun(folder, 'divided.yaml', { method, data: { train: 'long.jsonl', eval: null }, train: { steps: 1, tokensAtOnce: 64 } })
  const { code, stderr } = await adatune(['train', 'divided.yaml', '--out', 'divided'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /train\.tokensAtOnce: this method's router looks after a micro-batch as a whole/)
  assert.ok(!existsSync(join(folder, 'divided')))
})

test('a limit below what any way needs is refused before anything is written', async () => {
  writeRun(folder, 'narrow.yaml', { data: { train: 'long.jsonl', eval: null }, train: { steps: 1, memoryLimit: '50MB' } })
  const { code, stderr } = await adatune(['train', 'narrow.yaml', '--out', 'narrow'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /train\.memoryLimit is 50MB, and the least that this run is foretold to need is 1\d\d MB: raise the limit/)
})
