import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { outline } from '../../src/evaluate/assembly.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
import { openConfig } from '../../src/models/open.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { command, jsonLines, repository, succeed } from './project.ts'

const golden = join(repository, 'test/golden')

interface Project {
  readonly task: TaskName
  readonly config: Readonly<Record<string, unknown>>
  readonly tokenizer: string
  readonly files: readonly string[]
}
const size = { vocab_size: 400 }
const projects: Readonly<Record<string, Project>> = {
  gpt2: {
    task: 'causal-lm',
    config: { model_type: 'gpt2', n_embd: 32, n_layer: 2, n_head: 2, n_positions: 64, resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 },
    tokenizer: join(golden, 'vocabularies/gpt2'),
    files: ['vocab.json', 'merges.txt'],
  },
  t5: {
    task: 'seq2seq-lm',
    config: { model_type: 't5', d_model: 32, d_kv: 16, d_ff: 64, num_layers: 2, num_heads: 2, dropout_rate: 0 },
    tokenizer: join(golden, 'sentencepiece/t5'),
    files: ['spiece.model'],
  },
}

const rows = [
  ['red, big', 'a big red one'],
  ['blue, big', 'a big blue one'],
  ['red, small', 'the small one is red'],
  ['blue, small', 'the small one is blue'],
] as const
const folders = new Map<string, string>()

/** A folder with a random model, its tokenizer, and rows that it can learn by heart. */
function projectOf({ task, config, tokenizer, files }: Project): string {
  const folder = temporaryFolder()
  const model = join(folder, 'model')
  mkdirSync(model)
  for (const file of files) copyFileSync(join(tokenizer, file), join(model, file))
  writeFileSync(join(model, 'config.json'), JSON.stringify({ ...size, eos_token_id: 1, ...config }))
  const { base } = outline({ model: openConfig(model), head: heads[task], labels: 0 })
  const tensors = [...base.values()].map(({ name, shape }) => {
    const data = normals(
      shape.reduce((n, dim) => n * dim, 1),
      keyOf('writer', name),
      { mean: shape.length === 1 && name.endsWith('weight') ? 1 : 0, deviation: shape.length === 1 ? 0 : 0.1 },
    )
    return [name, { shape, data }] as const
  })
  writeFileSync(join(model, 'generation_config.json'), '{"eos_token_id": 1}')
  writeSafetensors(join(model, 'model.safetensors'), tensors)
  writeFileSync(join(folder, 'rows.jsonl'), jsonLines(rows.map(([mr, ref]) => ({ mr, ref }))))
  const run = {
    model: 'model',
    task,
    method: { name: 'full' },
    data: { train: 'rows.jsonl', eval: 'rows.jsonl', columns: { text: 'mr', label: 'ref' }, texts: { prefix: 'say ', separator: ' =' } },
    train: { batchSize: 4, steps: 250, learningRate: 5e-3, schedule: 'constant', evalEvery: 250 },
  }
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run))
  return folder
}

before(async () => {
  for (const [name, project] of Object.entries(projects)) {
    const folder = projectOf(project)
    await succeed(['train', 'run.json', '--out', 'run', '--quiet'], folder)
    folders.set(name, folder)
  }
})

for (const name of Object.keys(projects)) {
  test(`${name} that learned rows by heart writes them, greedily and by beams, and scores well`, async () => {
    const folder = folders.get(name)!
    const { loss } = JSON.parse(readFileSync(join(folder, 'run/metrics.json'), 'utf8'))
    assert.ok(loss < 0.2, `loss ${loss}`)
    for (const settings of [[], ['--set', 'beams=3']]) {
      const told = await succeed(
        [
          'generate',
          '--model',
          'model',
          '--adapter',
          'run/adapter',
          '--data',
          'rows.jsonl',
          '--output',
          'out.jsonl',
          '--metric',
          'bleu',
          ...settings,
        ],
        folder,
      )
      const texts = readFileSync(join(folder, 'out.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).text)
      assert.deepEqual(
        texts,
        rows.map(([, ref]) => ref),
      )
      assert.match(told, /^4 texts in out\.jsonl\nmetric +score +95 % interval\nbleu +100\.0000 /)
    }
  })

  test(`${name}, saved whole, writes as it learned to without being told how texts are put`, async () => {
    const folder = folders.get(name)!
    for (const [mr, ref] of rows) assert.equal(await succeed(['generate', '--model', 'run/adapter', '--text', mr], folder), `${ref}\n`)
    const [given, kept] = ['model', 'run/adapter'].map((at) => readFileSync(join(folder, at, 'generation_config.json'), 'utf8'))
    assert.equal(kept, given)
  })

  test(`${name} writes the same drawn texts for a seed, and one text on the terminal`, async () => {
    const folder = folders.get(name)!
    const ask = (...more: string[]) => succeed(['generate', '--model', 'model', '--adapter', 'run/adapter', ...more], folder)
    const drawn = ['--data', 'rows.jsonl', '--set', 'sample=true', '--set', 'temperature=8', '--set', 'maxNewTokens=8']
    const [one, again, other] = [await ask(...drawn), await ask(...drawn, '--batch-size', '1'), await ask(...drawn, '--set', 'seed=2')]
    assert.equal(one, again)
    assert.notEqual(one, other)
    assert.equal(await ask('--text', rows[0][0]), `${rows[0][1]}\n`)
  })
}

test('what cannot be written is said in one sentence', async () => {
  const folder = folders.get('gpt2')!
  const ask = async (...args: string[]) => command(['generate', '--model', 'model', ...args], folder)
  const faults: [string[], RegExp][] = [
    [[], /Give either --data FILE or --text/],
    [['--text', 'red', '--metric', 'bleu'], /--metric compares with references/],
    [['--text', 'red', '--set', 'beam=2'], /beam.*Did you mean "beams"/],
    [['--text', 'red', '--set', 'temperature=0'], /temperature/],
    [['--data', 'rows.jsonl', '--output', 'o.jsonl', '--metric', 'blue'], /blue.*Did you mean "bleu"/],
    [['--data', 'rows.jsonl', '--text-column', 'mrs'], /no column "mrs"/],
    [['--text', 'red '.repeat(80)], /positions|no room/],
  ]
  for (const [args, expected] of faults) {
    const { code, stderr } = await ask(...args)
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, expected)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  }
})
