/**
 * One update of models of real shape, with random weights, by LoRA and AdaLoRA: operations, time and the most memory of the process.
 * Each run is a process of its own; results go to bench/results/shapes.json and shapes.md, and a finished one is not repeated.
 * Usage: npm run bench -- shapes [model ...] [--threads n]
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { TaskName } from '../src/heads/index.ts'
import { randomModel } from './training/random-model.ts'
import { randomRows } from './training/random-rows.ts'
import { smollm2 } from './training/smollm2.ts'
import { readResults, root, type TrainedRun, trainedRun, writeResults } from './training/trained-run.ts'

interface Shape {
  readonly config: Readonly<Record<string, unknown>>
  readonly task: TaskName
  /** Rows of an update, and the tokens of each; of a decoder's besides. */
  readonly rows: number
  readonly tokens: number
  readonly written?: number
  readonly targets: readonly string[]
}

const shapes: Readonly<Record<string, Shape>> = {
  'deberta-v3-base': {
    config: {
      model_type: 'deberta-v2',
      vocab_size: 128100,
      hidden_size: 768,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      intermediate_size: 3072,
      max_position_embeddings: 512,
      type_vocab_size: 0,
      relative_attention: true,
      position_buckets: 256,
      max_relative_positions: -1,
      norm_rel_ebd: 'layer_norm',
      share_att_key: true,
      pos_att_type: 'p2c|c2p',
      position_biased_input: false,
      layer_norm_eps: 1e-7,
      pooler_hidden_size: 768,
      pooler_dropout: 0,
      pooler_hidden_act: 'gelu',
    },
    task: 'sequence-classification',
    rows: 8,
    tokens: 128,
    targets: ['query', 'key', 'value', 'attention-output', 'up', 'down'],
  },
  gpt2: {
    config: { model_type: 'gpt2', vocab_size: 50257, n_embd: 768, n_layer: 12, n_head: 12, n_positions: 1024 },
    task: 'causal-lm',
    rows: 8,
    tokens: 64,
    targets: ['query', 'value'],
  },
  'smollm2-135m': {
    config: smollm2,
    task: 'causal-lm',
    rows: 8,
    tokens: 64,
    targets: ['query', 'value'],
  },
  'qwen2.5-0.5b': {
    config: {
      model_type: 'qwen2',
      vocab_size: 151936,
      hidden_size: 896,
      intermediate_size: 4864,
      num_hidden_layers: 24,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      max_position_embeddings: 32768,
      rope_theta: 1000000,
      tie_word_embeddings: true,
    },
    task: 'causal-lm',
    rows: 8,
    tokens: 64,
    targets: ['query', 'value'],
  },
  'bart-large': {
    config: {
      model_type: 'bart',
      vocab_size: 50265,
      d_model: 1024,
      max_position_embeddings: 1024,
      encoder_layers: 12,
      encoder_attention_heads: 16,
      encoder_ffn_dim: 4096,
      decoder_layers: 12,
      decoder_attention_heads: 16,
      decoder_ffn_dim: 4096,
      is_encoder_decoder: true,
    },
    task: 'seq2seq-lm',
    rows: 4,
    tokens: 256,
    written: 48,
    targets: ['query', 'key', 'value', 'attention-output', 'up', 'down'],
  },
  't5-base': {
    config: {
      model_type: 't5',
      vocab_size: 32128,
      d_model: 768,
      d_kv: 64,
      d_ff: 3072,
      num_layers: 12,
      num_heads: 12,
      is_encoder_decoder: true,
    },
    task: 'seq2seq-lm',
    rows: 4,
    tokens: 256,
    written: 48,
    targets: ['query', 'value'],
  },
}

const methods = {
  lora: { name: 'lora', r: 8, alpha: 16 },
  adalora: { name: 'adalora', initR: 12, targetR: 8, alpha: 16, tInit: 1, tFinal: 1, deltaT: 1 },
}

interface Result extends TrainedRun {
  readonly model: string
  readonly method: string
  readonly rows: number
  readonly tokens: number
  readonly written: number
  readonly weights: number
}

const work = join(root, 'runs/bench-shapes')
const file = join(root, 'bench/results/shapes.json')
/** Updates of a run. */
const steps = 4

const preface = `# Models of real shape

Made by \`npm run bench -- shapes\`: an update of each with random weights in float32, dropout as its config has it. LoRA has rank 8, AdaLoRA
goes from 12 to 8. The peak is that of the whole process, the frozen weights included, which are pages of their file. CPU seconds are of
all threads, opening the model divided over ${steps} updates.
`

const { positionals, values } = parseArgs({ allowPositionals: true, options: { threads: { type: 'string', default: '2' } } })
const results = readResults<Result>(file)
save()

function save(): void {
  const rows = Object.values(results).map(({ model, method, rows, tokens, written, weights, best }) => [
    ...[model, `${rows} x ${tokens}${written > 0 ? ` + ${written}` : ''}`, weights, method, best.trained],
    ...[Math.round(best.trainFlops! / steps / 1e9), (best.cpuSeconds! / steps).toFixed(1), Math.round(best.peakMemoryBytes! / 1e6)],
  ])
  writeResults(file, results, preface, 'model | rows x tokens | weights | method | trained | GFLOP | CPU s | peak MB', rows)
}

for (const name of positionals.length > 0 ? positionals : Object.keys(shapes)) {
  const shape = shapes[name]
  if (!shape) throw new Error(`known are ${Object.keys(shapes).join(', ')}`)
  for (const [method, options] of Object.entries(methods)) {
    const key = `${name} ${method}`
    if (results[key]) continue
    const model = join(work, name)
    const weights = randomModel(model, shape.config, shape.task, 'shapes')
    const settings = {
      model,
      task: shape.task,
      method: { ...options, targets: shape.targets },
      data: {
        train: randomRows(join(model, 'rows.jsonl'), 'shapes', { ...shape, rows: shape.rows * steps }),
        ...(shape.task === 'sequence-classification' && { labels: ['0', '1'] }),
      },
      train: { batchSize: shape.rows, steps, threads: Number(values.threads) },
    }
    const { rows, tokens, written = 0 } = shape
    results[key] = { model: name, method, rows, tokens, written, weights, ...trainedRun(work, key, settings) }
    save()
  }
}
