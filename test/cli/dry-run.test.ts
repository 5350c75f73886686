import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DryRun } from '../../src/cli/dry-run.ts'
import { adatune, eventsOf, projectFolder, recordOf, succeed, writeRun } from './project.ts'

const folder = projectFolder()
const adalora = { name: 'adalora', initR: 3, targetR: 2, targets: ['query', 'value'], deltaT: 1 }
const published = {
  paper: 'Someone 2024',
  rows: 1000,
  seeds: 3,
  note: 'The text says otherwise.',
  results: [
    { table: 1, method: 'AdaLoRA', budget: '2k', values: { accuracy: 91.25 }, deviations: { accuracy: 0.4 }, set: ['method.targetR=2'] },
    { table: 2, method: 'LoRA', values: { accuracy: 90 }, set: ['method={ name: lora, r: 2 }'] },
  ],
}

/** What `--dry-run --json` says. */
const foretold = async (run: string): Promise<DryRun> => JSON.parse(await succeed(['train', run, '--dry-run', '--json'], folder))

test('a dry run foretells what the run then is, and writes nothing', async () => {
  writeRun(folder, 'run.yaml', { method: adalora, train: { steps: null, epochs: 2.5, trainAlso: ['pooler'] }, published })
  const before = readdirSync(folder).sort()
  const { examples, totalSteps, warmupSteps, epochs, weights, method } = await foretold('run.yaml')
  assert.deepEqual(readdirSync(folder).sort(), before)
  const closing = await succeed(['train', 'run.yaml', '--out', 'run'], folder)
  const [begin] = eventsOf(recordOf(join(folder, 'run')))
  assert.deepEqual([examples!.from, examples!.count], ['data', begin!.examples])
  const tokens = readFileSync(join(folder, 'train.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).input_ids.length)
  assert.equal(examples!.meanLength, Math.round(tokens.reduce((sum, n) => sum + n, 0) / tokens.length))
  assert.equal(totalSteps, begin!.totalSteps)
  assert.deepEqual([warmupSteps, epochs], [0, 2.5])
  const { training, base } = method
  const begun = begin!.weights as Record<string, number>
  assert.deepEqual([training.weights, base.weights], [begun.trained, begun.base])
  // A layer's query and value have 16 inputs and outputs; the pooler is counted apart.
  assert.equal(weights.merged, 2 * 2 * 2 * (16 + 1 + 16))

  assert.match(
    closing,
    /\npublished +budget +accuracy\nAdaLoRA +2k +91\.25 ± 0\.4 +table 1\nthis run +\d+\.\d\nSomeone 2024, 3 seeds\nnote: The/,
  )
  assert.doesNotMatch(closing, /table 2/)
})

test('where data is not there, its rows are those that the run file states', async () => {
  writeRun(folder, 'absent.yaml', {
    data: { train: 'absent.jsonl', eval: 'absent.jsonl', labels: ['no', 'yes'] },
    train: { steps: null, epochs: 2, accumulate: 3 },
    method: adalora,
    published,
  })
  const { examples, totalSteps } = await foretold('absent.yaml')
  assert.deepEqual([examples?.from, examples?.count, examples?.meanLength], ['published.rows', 1000, null])
  assert.equal(totalSteps, Math.ceil((2 * 125) / 3))
  const text = await succeed(['train', 'absent.yaml', '--dry-run'], folder)
  assert.match(text, /1,000 examples \(by published\.rows\), 84 updates in 2\.02 epochs, 5 of them warm-up/)
  assert.match(text, /memory: about [\d.]+ [kM]B/)
  assert.match(text, /AdaLoRA +2k +91\.25 ± 0\.4 +table 1 +this run\nLoRA +90 +table 2\n/)
})

test('a config alone does, and the rows of the file are counted', async () => {
  const bare = projectFolder()
  for (const name of ['model.safetensors', 'tokenizer.json']) rmSync(join(bare, 'model', name))
  writeRun(bare, 'run.yaml', { data: { labels: ['no', 'yes'] }, train: { steps: null, epochs: 1 } })
  const { examples } = JSON.parse(await succeed(['train', 'run.yaml', '--dry-run', '--json'], bare))
  assert.deepEqual([examples?.from, examples?.count], ['data', 48])
})

const absent = { data: { train: 'absent.jsonl', labels: ['no', 'yes'] }, train: { steps: null } }
const faults: [string, Parameters<typeof writeRun>[2], RegExp][] = [
  ['absent data of unknown size', absent, /absent\.jsonl does not exist, so updates cannot be counted: give the file, train\.steps, or/],
  [
    'absent data and unknown classes',
    { data: { train: 'absent.jsonl' } },
    /classes are told by absent\.jsonl, which is not there; name them/,
  ],
  ['an unknown key', { published: { ...published, row: 3 } }, /"published\.row" is not known\. Did you mean "rows"/],
  ['a schedule without room', { method: { ...adalora, tInit: 3, tFinal: 3 } }, /There is no budgeting phase/],
  [
    'settings that no run can have',
    { published: { ...published, results: [{ ...published.results[0], set: ['method.r=0'] }] } },
    /must be/,
  ],
  ['an evaluation file that is not there', { data: { eval: 'absent.jsonl' } }, /absent\.jsonl/],
]
for (const [what, run, says] of faults) {
  test(`a dry run refuses ${what} in a sentence`, async () => {
    writeRun(folder, 'fault.yaml', run)
    const { code, stdout, stderr } = await adatune(['train', 'fault.yaml', '--dry-run'], folder)
    assert.equal(code, 2, stderr)
    assert.match(stderr, says)
    assert.equal(stderr.trim().split('\n').length, 1)
    assert.equal(stdout, '')
  })
}

test('a run that is resumed is no dry run', async () => {
  const { code, stderr } = await adatune(['train', '--resume', 'run', '--dry-run'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /--dry-run tells what the run of a run file would be; it takes no --resume/)
})
