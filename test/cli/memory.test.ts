import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DryRun } from '../../src/cli/dry-run.ts'
import { stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { adatune, eventsOf, jsonLines, projectFolder, recordOf, succeed, writeRun } from './project.ts'

/** Large enough for a step to outweigh the process. */
const fields = {
  ...{ hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 4, intermediate_size: 512, max_position_embeddings: 64 },
  ...{ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
}
const folder = projectFolder({ fields })
const draws = stream(keyOf('memory'))
const rows = Array.from({ length: 96 }, (_, i) => ({
  input_ids: Array.from({ length: 60 - (i % 20) }, () => draws.below(50)),
  label: i % 2 === 0 ? 'yes' : 'no',
}))
writeFileSync(join(folder, 'long.jsonl'), jsonLines(rows))

interface Ended {
  readonly foretold: number
  readonly peak: number
  readonly losses: readonly number[]
  readonly told: string
}

/** What a dry run foretells, and what the run then takes. */
async function run(name: string, train: object): Promise<Ended> {
  const settings = { batchSize: 64, steps: 2, learningRate: 0.01, threads: 1, ...train }
  writeRun(folder, `${name}.yaml`, { method: { name: 'lora', r: 4 }, data: { train: 'long.jsonl', eval: null }, train: settings })
  const dry: DryRun = JSON.parse(await succeed(['train', `${name}.yaml`, '--dry-run', '--json'], folder))
  const { code, stderr } = await adatune(['train', `${name}.yaml`, '--out', name], folder)
  assert.equal(code, 0, stderr)
  const events = eventsOf(recordOf(join(folder, name)))
  const [begin] = events
  assert.ok(Math.abs((begin!.memoryBytes as number) / dry.memoryBytes - 1) < 0.01, `${begin!.memoryBytes} for ${dry.memoryBytes}`)
  const losses = events.flatMap(({ event, loss }) => (event === 'step' ? [loss as number] : []))
  return { foretold: dry.memoryBytes, peak: events.at(-1)!.peakMemoryBytes as number, losses, told: stderr }
}

test('a dry run foretells the memory of the run, with all kept and with layers made again', async () => {
  const [kept, remade] = [await run('kept', {}), await run('remade', { recompute: 'every-1' })]
  for (const { foretold, peak } of [kept, remade]) assert.ok(Math.abs(foretold / peak - 1) < 0.2, `${foretold} foretold, ${peak} measured`)
  assert.ok(kept.peak - remade.peak > 30e6, `${kept.peak} and ${remade.peak}`)
  assertNear(remade.losses, kept.losses, 1e-6)

  const limited = await run('limited', { memoryLimit: '260MB' })
  assert.match(limited.told, /To stay within 260 MB: \d micro-batches of \d+ rows an update; about 2\d\d MB\./)
  assert.ok(limited.peak < 1.1 * 260e6, `${limited.peak}`)
  assertNear(limited.losses, kept.losses, 1e-5)
})

test('a limit below what any way needs is refused before anything is written', async () => {
  writeRun(folder, 'narrow.yaml', { data: { train: 'long.jsonl', eval: null }, train: { steps: 1, memoryLimit: '50MB' } })
  const { code, stderr } = await adatune(['train', 'narrow.yaml', '--out', 'narrow'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /train\.memoryLimit is 50MB, and the least that this run is foretold to need is 1\d\d MB: raise the limit/)
})
