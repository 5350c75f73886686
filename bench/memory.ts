/**
 * The memory that `train --dry-run` foretells against the peak of the same run, with frozen weights in float32 and in 8 bits, and with layers
 * made again. Each run is a process of its own; results go to bench/results/memory.json and memory.md, and a finished one is not repeated.
 * Usage: npm run bench -- memory [case ...] [--threads n]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { TaskName } from '../src/heads/index.ts'
import { stream } from '../src/random/draws.ts'
import { keyOf } from '../src/random/key.ts'
import { randomModel } from './training/random-model.ts'
import { readResults, root, type TrainedRun, trainedRun, writeResults } from './training/trained-run.ts'

interface Subject {
  readonly about: string
  readonly task: TaskName | string
  readonly batchSize: number
  /** The most tokens of a row. */
  readonly length: number
  /** Model and rows; null where they are not there. */
  readonly files: () => { readonly model: string; readonly rows: string } | null
  /** What HF PEFT takes for the same step, by results/step.json. */
  readonly peer?: string
  /** Settings of each run beside the plain one. */
  readonly ways: Readonly<Record<string, { readonly base?: string; readonly train?: object }>>
}

const work = join(root, 'runs/bench-memory')
const file = join(root, 'bench/results/memory.json')
const steps = 2

/** A model of random weights and rows of random tokens; made once. */
function random(name: string, config: object, task: TaskName, tokens: number, written = 0): { model: string; rows: string } {
  const model = join(work, name)
  const rows = join(model, 'rows.jsonl')
  randomModel(model, config, task, 'memory')
  if (!existsSync(rows)) {
    const { below } = stream(keyOf('memory', 'rows'))
    const ids = (count: number): number[] => Array.from({ length: count }, () => 1000 + below(20_000))
    const row = (at: number): object => {
      const input_ids = ids(tokens)
      if (task === 'sequence-classification') return { input_ids, label: at % 2 }
      return { input_ids, labels: written > 0 ? ids(written) : input_ids }
    }
    writeFileSync(rows, Array.from({ length: 64 }, (_, at) => `${JSON.stringify(row(at))}\n`).join(''))
  }
  return { model, rows }
}

const bert = {
  ...{ model_type: 'bert', vocab_size: 30522, hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12 },
  ...{ intermediate_size: 3072, max_position_embeddings: 512 },
}
const gpt2 = { model_type: 'gpt2', vocab_size: 50257, n_embd: 768, n_layer: 12, n_head: 12, n_positions: 1024 }
const t5 = {
  ...{ model_type: 't5', vocab_size: 32128, d_model: 512, d_kv: 64, d_ff: 1024, num_layers: 8, num_heads: 6 },
  ...{ feed_forward_proj: 'gated-gelu', tie_word_embeddings: false },
}
const remade = { train: { recompute: 'every-1' } }

const subjects: Readonly<Record<string, Subject>> = {
  'minilm-rte': {
    about: 'all-MiniLM-L6-v2 on RTE, 32 rows of their own lengths',
    ...{ task: 'glue/rte', batchSize: 32, length: 128 },
    files: () => {
      const assets = process.env.ADATUNE_ASSETS
      return assets ? { model: join(assets, 'models/all-MiniLM-L6-v2'), rows: join(assets, 'data/glue-rte/train.jsonl.gz') } : null
    },
    ways: { plain: {}, int8: { base: 'int8' }, 'every-1': remade },
  },
  'bert-base': {
    about: 'BERT base, 16 rows of 128 tokens',
    ...{ task: 'sequence-classification', batchSize: 16, length: 128 },
    files: () => random('bert-base', bert, 'sequence-classification', 128),
    peer: 'bert-base, 2 threads',
    ways: { plain: {}, int8: { base: 'int8' }, 'every-1': remade, 'int8 every-1': { base: 'int8', ...remade } },
  },
  gpt2: {
    about: 'GPT-2, 4 rows of 256 tokens',
    ...{ task: 'causal-lm', batchSize: 4, length: 256 },
    files: () => random('gpt2', gpt2, 'causal-lm', 256),
    ways: { plain: {}, 'every-1': remade },
  },
  't5-small': {
    about: 'T5 small, 8 rows of 128 and 64 tokens',
    ...{ task: 'seq2seq-lm', batchSize: 8, length: 128 },
    files: () => random('t5-small', t5, 'seq2seq-lm', 128, 64),
    ways: { plain: {}, 'every-1': remade },
  },
}

interface Result extends TrainedRun {
  readonly about: string
  readonly way: string
  readonly foretoldBytes: number
  readonly command: string
  readonly peer?: string
}

const preface = `# Memory foretold and measured

Made by \`npm run bench -- memory\`: LoRA of rank 8 on queries and values, dropout of 0.1, ${steps} updates, random weights but for MiniLM.
Foretold is what \`train --dry-run\` says, the peak that of the whole process. The last column is the peak as a share of what HF PEFT on
torch takes for the same step (step.md), where that was measured.
`

const { positionals, values } = parseArgs({ allowPositionals: true, options: { threads: { type: 'string', default: '1' } } })
const results = readResults<Result>(file)
const peers = readResults<{ rounds: readonly { peer?: { peakMB: number } }[] }>(join(root, 'bench/results/step.json'))

function save(): void {
  const rows = Object.values(results).map(({ about, way, foretoldBytes, best, peer }) => {
    const peak = best.peakMemoryBytes!
    const theirs = Math.max(...((peer && peers[peer]?.rounds) || []).map((round) => round.peer?.peakMB ?? 0), 0)
    const share = theirs > 0 ? (peak / 1e6 / theirs).toFixed(2) : ''
    return [about, way, Math.round(foretoldBytes / 1e6), Math.round(peak / 1e6), (foretoldBytes / peak).toFixed(2), share]
  })
  writeResults(file, results, preface, 'step | way | foretold MB | peak MB | ratio | of HF PEFT', rows)
}

function foretell(settings: object): number {
  const run = join(work, 'dry-run.json')
  writeFileSync(run, JSON.stringify(settings))
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'bin/adatune.js'), 'train', run, '--dry-run', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`the dry run ended with ${status}`)
  return JSON.parse(stdout).memoryBytes
}

mkdirSync(work, { recursive: true })
for (const name of positionals.length > 0 ? positionals : Object.keys(subjects)) {
  const subject = subjects[name]
  if (!subject) throw new Error(`known are ${Object.keys(subjects).join(', ')}`)
  const files = subject.files()
  if (!files) console.log(`${name} is left out: set ADATUNE_ASSETS.`)
  for (const [way, { base = 'float32', train = {} }] of Object.entries(files ? subject.ways : {})) {
    const key = `${name} ${way}`
    if (results[key]) continue
    const { about, task, batchSize, length, peer } = subject
    const settings = {
      model: files!.model,
      base,
      task,
      method: { name: 'lora', r: 8, alpha: 16, targets: ['query', 'value'] },
      data: { train: files!.rows, maxLength: length, ...(task === 'sequence-classification' && { labels: ['0', '1'] }) },
      train: { batchSize, steps, dropout: 0.1, threads: Number(values.threads), ...train },
    }
    const foretoldBytes = foretell(settings)
    const measured = trainedRun(work, key, settings)
    results[key] = { about, way, foretoldBytes, command: `npm run bench -- memory ${name}`, ...(peer && { peer }), ...measured }
    save()
  }
}
