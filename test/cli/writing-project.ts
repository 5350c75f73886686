import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outline } from '../../src/evaluate/assembly.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
import { openConfig } from '../../src/models/open.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { jsonLines, repository } from './project.ts'

const golden = join(repository, 'test/golden')

interface Project {
  readonly task: TaskName
  readonly config: Readonly<Record<string, unknown>>
  readonly tokenizer: string
  readonly files: readonly string[]
}
const size = { vocab_size: 400 }
export const writers: Readonly<Record<string, Project>> = {
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

export const rows = [
  ['red, big', 'a big red one'],
  ['blue, big', 'a big blue one'],
  ['red, small', 'the small one is red'],
  ['blue, small', 'the small one is blue'],
] as const
/** A folder with a random model, its tokenizer, and rows that it can learn by heart. */
export function writerFolder({ task, config, tokenizer, files }: Project): string {
  const folder = temporaryFolder()
  const model = join(folder, 'model')
  mkdirSync(model)
  for (const file of files) copyFileSync(join(tokenizer, file), join(model, file))
  writeFileSync(join(model, 'generation_config.json'), '{"eos_token_id": 1}')
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
  writeSafetensors(join(model, 'model.safetensors'), tensors)
  writeFileSync(join(folder, 'rows.jsonl'), jsonLines(rows.map(([mr, ref]) => ({ mr, ref }))))
  const run = {
    model: 'model',
    task,
    method: { name: 'full' },
    data: { train: 'rows.jsonl', eval: 'rows.jsonl', columns: { text: 'mr', label: 'ref' } },
    train: { batchSize: 4, steps: 250, learningRate: 5e-3, schedule: 'constant', evalEvery: 250 },
  }
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run))
  return folder
}
