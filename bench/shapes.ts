/**
 * One update of models of real shape, with random weights, by LoRA and AdaLoRA: operations, time and the most memory of the process.
 * Each run is a process of its own; results go to bench/results/shapes.json and shapes.md, and a finished one is not repeated.
 * Usage: npm run bench -- shapes [model ...] [--threads n]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { outline } from '../src/evaluate/assembly.ts'
import { heads, type TaskName } from '../src/heads/index.ts'
import { openConfig } from '../src/models/open.ts'
import { normals, stream } from '../src/random/draws.ts'
import { keyOf } from '../src/random/key.ts'
import { writeSafetensors } from '../src/weights/write-safetensors.ts'

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

interface Result {
  readonly model: string
  readonly method: string
  readonly rows: number
  readonly tokens: number
  readonly written: number
  readonly modelWeights: number
  readonly trained: number
  readonly gflop: number
  readonly cpuSeconds: number
  readonly peakMB: number
}

const root = resolve(import.meta.dirname, '..')
const cache = join(root, 'runs/bench-shapes')
const resultsFile = join(root, 'bench/results/shapes.json')
/** Updates of a run. */
const steps = 4

/** The model with random weights, and its rows; made once. */
function made(name: string, { config, task, rows, tokens, written }: Shape): { model: string; data: string; weights: number } {
  const model = join(cache, name)
  const data = join(model, 'rows.jsonl')
  mkdirSync(model, { recursive: true })
  writeFileSync(join(model, 'config.json'), `${JSON.stringify(config)}\n`)
  const { base } = outline({ model: openConfig(model), head: heads[task], labels: 2 })
  const sizeOf = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1)
  const weights = [...base.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  if (existsSync(data)) return { model, data, weights }
  const initial = (tensor: string, shape: readonly number[]): Float32Array => {
    if (shape.length > 1) return normals(sizeOf(shape), keyOf('shapes', tensor), { mean: 0, deviation: 0.02 })
    return new Float32Array(sizeOf(shape)).fill(tensor.endsWith('.bias') ? 0 : 1)
  }
  writeSafetensors(
    join(model, 'model.safetensors'),
    [...base.values()].map(({ name: tensor, shape }) => [tensor, { shape, data: () => initial(tensor, shape) }] as const),
    { format: 'pt' },
  )
  const { below } = stream(keyOf('shapes', 'rows'))
  const ids = (count: number): number[] => Array.from({ length: count }, () => 1000 + below(20_000))
  const lines = Array.from({ length: rows * steps }, (_, row) => {
    const input_ids = ids(tokens)
    const labels = task === 'causal-lm' ? input_ids : ids(written ?? 0)
    return JSON.stringify(task === 'sequence-classification' ? { input_ids, label: row % 2 } : { input_ids, labels })
  })
  writeFileSync(data, `${lines.join('\n')}\n`)
  return { model, data, weights }
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { threads: { type: 'string', default: '2' } } })
const chosen = positionals.length > 0 ? positionals : Object.keys(shapes)
const results: Result[] = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')).results : []
for (const name of chosen) {
  const shape = shapes[name]
  if (!shape) throw new Error(`known are ${Object.keys(shapes).join(', ')}`)
  for (const [method, options] of Object.entries(methods)) {
    if (results.some((result) => result.model === name && result.method === method)) continue
    const { model, data, weights } = made(name, shape)
    const out = join(cache, `${name}-${method}`)
    rmSync(out, { recursive: true, force: true })
    const run = join(cache, 'run.json')
    writeFileSync(
      run,
      JSON.stringify({
        model,
        task: shape.task,
        method: { ...options, targets: shape.targets },
        data: { train: data, ...(shape.task === 'sequence-classification' && { labels: ['0', '1'] }) },
        train: { batchSize: shape.rows, steps, threads: Number(values.threads) },
      }),
    )
    console.log(new Date().toISOString(), name, method)
    const { status } = spawnSync(process.execPath, [join(root, 'bin/adatune.js'), 'train', run, '--out', out, '--quiet'], {
      stdio: 'inherit',
    })
    if (status !== 0) throw new Error(`${name} ${method} ended with ${status}`)
    const metrics = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'))
    results.push({
      model: name,
      method,
      rows: shape.rows,
      tokens: shape.tokens,
      written: shape.written ?? 0,
      modelWeights: weights,
      trained: metrics.trained,
      gflop: Math.round(metrics.trainFlops / steps / 1e9),
      cpuSeconds: Number((metrics.cpuSeconds / steps).toFixed(1)),
      peakMB: Math.round(metrics.peakMemoryBytes / 1e6),
    })
    writeFileSync(
      resultsFile,
      `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, threads: values.threads, results }, null, 2)}\n`,
    )
  }
}
const columns = ['model', 'rows x tokens', 'weights', 'method', 'trained', 'GFLOP', 'CPU s', 'peak MB']
const lines = results.map((r) => [
  r.model,
  `${r.rows} x ${r.tokens}${r.written ? ` + ${r.written}` : ''}`,
  r.modelWeights,
  r.method,
  r.trained,
  r.gflop,
  r.cpuSeconds,
  r.peakMB,
])
const row = (cells: readonly unknown[]): string => `| ${cells.join(' | ')} |`
writeFileSync(
  join(root, 'bench/results/shapes.md'),
  `# Models of real shape

Made by \`npm run bench -- shapes\`: an update of each with random weights in float32, dropout as its config has it. The peak is that of the
whole process, the frozen weights included, which are pages of their file. CPU seconds are of all threads, opening the model divided over
${steps} updates.

${[row(columns), row(columns.map(() => '---')), ...lines.map(row)].join('\n')}
`,
)
