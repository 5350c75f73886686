import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { outline } from '../../src/evaluate/assembly.ts'
import { heads } from '../../src/heads/index.ts'
import { openConfig } from '../../src/models/open.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import {
  assertSameRun,
  command,
  type DataRow,
  eventsOf,
  jsonLines,
  projectFolder,
  readJson,
  recordOf,
  succeed,
  textRows,
  writeRun,
} from './project.ts'

const MASK = 18
const opinion = { kind: 'prompt-classification', template: '{text} {mask}.', labelWords: { bad: 'dull', good: 'fine' } }

/** A folder with a model that has a masked-LM head, a tokenizer with a mask token, and sentences. */
function project(changes: { mask?: boolean; head?: boolean } = {}): string {
  const folder = projectFolder()
  const model = openConfig(join(folder, 'model'))
  const { base } = outline({ model, head: heads['masked-lm'], labels: 0 })
  const tensors = [...base.values()]
    .filter(({ name }) => changes.head !== false || !name.startsWith('cls.'))
    .map(({ name, shape }) => {
      const size = shape.reduce((n, dim) => n * dim, 1)
      return [
        name,
        { shape, data: normals(size, keyOf('few', name), { mean: /LayerNorm.weight$/.test(name) ? 1 : 0, deviation: 0.2 }) },
      ] as const
    })
  writeSafetensors(join(folder, 'model/model.safetensors'), tensors)
  if (changes.mask !== false) {
    const file = join(folder, 'model/tokenizer.json')
    const json = JSON.parse(readFileSync(file, 'utf8'))
    json.added_tokens.push({ ...json.added_tokens[0], id: MASK, content: '[MASK]' })
    json.model.vocab['[MASK]'] = MASK
    writeFileSync(file, JSON.stringify(json))
  }
  writeFileSync(join(folder, 'opinion.yaml'), stringify(opinion))
  writeFileSync(join(folder, 'train.jsonl'), jsonLines(textRows(60, 'train')))
  writeFileSync(join(folder, 'test.jsonl'), jsonLines(textRows(40, 'test')))
  return folder
}

const shots = { eval: null, shots: 16, evalShots: 6, test: 'test.jsonl' }
const fast = { steps: 12, batchSize: 4, learningRate: 0.02, threads: 1 }

test('a prompt over several seeds learns from few rows, tells mean and deviation, and resumes to the same bytes', async () => {
  const folder = project()
  writeRun(folder, 'run.yaml', {
    task: './opinion.yaml',
    method: { name: 'lora', r: 8, targets: 'all-linear' },
    data: shots,
    train: { ...fast, steps: 120, dropout: 0, seeds: [1, 2] },
  })
  const text = await succeed(['train', 'run.yaml', '--out', 'out'], folder)
  assert.match(text, /\nmean +\d/)
  assert.match(text, /\ndeviation +\d/)
  const summary = readJson(folder, 'out/metrics.json') as {
    bySeed: { seed: number; metrics: Record<string, number> }[]
    mean: Record<string, number>
    deviation: Record<string, number>
  }
  const [one, two] = summary.bySeed.map(({ metrics }) => metrics['test accuracy']!)
  assert.ok(Math.abs(summary.mean['test accuracy']! - (one! + two!) / 2) < 1e-12)
  assert.ok(Math.abs(summary.deviation['test accuracy']! - Math.abs(one! - two!) / Math.SQRT2) < 1e-12)
  assert.ok(summary.mean['test accuracy']! > 0.7, JSON.stringify(summary))
  const [begin] = eventsOf(recordOf(join(folder, 'out/seed-1')))
  assert.equal(begin!.examples, 32)

  cpSync(join(folder, 'out'), join(folder, 'again'), { recursive: true })
  rmSync(join(folder, 'again/metrics.json'))
  rmSync(join(folder, 'again/seed-2'), { recursive: true })
  await succeed(['train', '--resume', 'again', '--quiet'], folder)
  assert.deepEqual(readJson(folder, 'again/metrics.json'), readJson(folder, 'out/metrics.json'))
  assertSameRun(join(folder, 'again/seed-2'), join(folder, 'out/seed-2'))

  const answering = ['--model', 'model', '--adapter', 'out/seed-1/adapter']
  const metrics = JSON.parse(await succeed(['eval', ...answering, '--data', 'test.jsonl'], folder))
  assert.ok(Math.abs(metrics.accuracy - one!) < 1e-12)
  const asked = JSON.parse(await succeed(['predict', ...answering, '--text', 'The film is good'], folder))
  assert.deepEqual(Object.keys(asked.scores), ['bad', 'good'])
  await succeed(['merge', ...answering, '--out', 'merged'], folder)
  const merged = JSON.parse(await succeed(['predict', '--model', './merged', '--text', 'The film is good'], folder))
  assert.ok(Math.abs(merged.scores.good - asked.scores.good) < 1e-4)
})

test('evalEvery: end judges once, after the last update; a zero-shot prompt needs no adapter', async () => {
  const folder = project()
  writeRun(folder, 'run.yaml', { task: opinion, data: { eval: 'test.jsonl', shots: 4 }, train: { ...fast, evalEvery: 'end' } })
  await succeed(['train', 'run.yaml', '--out', 'out', '--quiet'], folder)
  const steps = eventsOf(recordOf(join(folder, 'out'))).flatMap(({ event, step }) => (event === 'eval' ? [step] : []))
  assert.deepEqual(steps, [12])
  const { rows } = JSON.parse(await succeed(['eval', '--model', 'model', '--task', './opinion.yaml', '--data', 'test.jsonl'], folder))
  assert.equal(rows, 40)
})

test('plain text trains a masked-LM head, which then carries label words', async () => {
  const folder = project({ head: false })
  writeFileSync(
    join(folder, 'text.txt'),
    textRows(60, 'plain')
      .map(({ text }) => `${text}\n`)
      .join('\n'),
  )
  writeRun(folder, 'mlm.yaml', {
    task: 'masked-lm',
    method: { name: 'head' },
    data: { train: 'text.txt', eval: 'text.txt' },
    train: { ...fast, steps: 60 },
  })
  await succeed(['train', 'mlm.yaml', '--out', 'mlm', '--quiet'], folder)
  const losses = eventsOf(recordOf(join(folder, 'mlm'))).flatMap(({ event, perplexity }) => (event === 'eval' ? [Number(perplexity)] : []))
  assert.ok(losses.at(-1)! < losses[0]!, losses.join(' '))
  await succeed(['merge', '--model', 'model', '--adapter', 'mlm/adapter', '--out', 'whole'], folder)
  const { words } = JSON.parse(await succeed(['predict', '--model', './whole', '--text', 'the [MASK] was good .'], folder))
  assert.equal(words.length, 1)
  writeRun(folder, 'run.yaml', { model: './whole', task: './opinion.yaml', data: { eval: 'test.jsonl' }, train: { ...fast, steps: 2 } })
  await succeed(['train', 'run.yaml', '--out', 'out', '--quiet'], folder)
})

test('words with a tag each are trained by a name of their task, and answered one tag a word', async () => {
  const folder = project()
  const tagged = textRows(40, 'tags').map(({ text }): DataRow => {
    const tokens = String(text).replace('.', '').trim().split(/\s+/)
    return { tokens, ner_tags: tokens.map((word) => (/^films?$/.test(word) ? 1 : 0)) }
  })
  writeFileSync(join(folder, 'tags.jsonl'), jsonLines(tagged))
  writeRun(folder, 'run.yaml', { task: 'conll/ner', data: { train: 'tags.jsonl', eval: 'tags.jsonl' }, train: { ...fast, steps: 60 } })
  await succeed(['train', 'run.yaml', '--out', 'out', '--quiet'], folder)
  const metrics = readJson(folder, 'out/metrics.json')
  assert.ok(Number(metrics.f1) > 0.9 && Number(metrics.accuracy) > 0.9, JSON.stringify(metrics))
  const answers = await succeed(['predict', '--model', 'model', '--adapter', 'out/adapter', '--data', 'tags.jsonl'], folder)
  answers
    .trim()
    .split('\n')
    .forEach((line, i) => {
      assert.equal(JSON.parse(line).labels.length, (tagged[i]!.tokens as string[]).length)
    })
})

const bad: Record<string, { says: RegExp; run?: Parameters<typeof writeRun>[2]; changes?: Parameters<typeof project>[0] }> = {
  'a model without masked-LM head': {
    changes: { head: false },
    says: /has no "cls\.predictions[^"]*": label words need the masked-LM head/,
  },
  'a tokenizer without mask token': { changes: { mask: false }, says: /no mask token/ },
  'a label word of several tokens': {
    run: { task: { ...opinion, labelWords: { bad: 'plays', good: 'fine' } } },
    says: /"plays", for "bad", is 2 tokens/,
  },
  'a label without a word': { run: { task: { ...opinion, labels: ['bad', 'good', 'odd'] } }, says: /no word for the label "odd"/ },
  'fewer rows than shots': { run: { data: { shots: 50 } }, says: /rows, but data\.shots asks for 50/ },
  'evaluation shots without shots': { run: { data: { eval: null, evalShots: 2 } }, says: /data\.evalShots needs data\.shots/ },
  'evaluation shots and a file': { run: { data: { eval: 'test.jsonl', shots: 2, evalShots: 2 } }, says: /takes the place of data\.eval/ },
  'a seed that no row has': { run: { data: { seedColumn: 'text' } }, says: /no row has the seed 1 in "text"/ },
  'shots of a regression': { run: { task: 'regression', data: { shots: 2 } }, says: /no class for each row/ },
  'a seed twice': { run: { train: { seeds: [3, 3] } }, says: /"train\.seeds" is \[3,3\]: each seed must be there once/ },
  'a task that is misspelt': { run: { task: 'glue/mrcp' }, says: /known are .*Did you mean "glue\/mrpc"/ },
  'a row of ids without a mask': { run: { data: { train: 'ids.jsonl' } }, says: /ids\.jsonl:1: 0 mask tokens in "input_ids"/ },
}
for (const [what, { says, run = {}, changes = {} }] of Object.entries(bad)) {
  test(`${what} is refused in a sentence, and leaves nothing`, async () => {
    const folder = project(changes)
    writeFileSync(join(folder, 'ids.jsonl'), jsonLines([{ input_ids: [2, 5, 3], label: 'bad' }]))
    writeRun(folder, 'run.yaml', { task: './opinion.yaml', ...run, data: { eval: null, ...run.data } })
    for (const settings of [[], ['--set', 'train.seeds=[4, 5]']]) {
      if (settings.length > 0 && run.train) continue
      const { code, stderr } = await command(['train', 'run.yaml', '--out', 'out', '--quiet', ...settings], folder)
      assert.match(stderr, settings.length > 0 ? /^adatune: [^\n]+[.?]\n$/ : says)
      assert.match(stderr, /^adatune: [^\n]+[.?]\n$/)
      assert.equal(code, 2)
    }
  })
}
