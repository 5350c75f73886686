import { join } from 'node:path'
import type { TaskName } from '../../src/heads/index.ts'
import { randomModel } from '../training/random-model.ts'
import { randomRows } from '../training/random-rows.ts'
import { root } from '../training/trained-run.ts'

/** A run of some updates, in several ways. */
export interface Subject {
  readonly about: string
  readonly task: TaskName | string
  readonly batchSize: number
  /** The most tokens of a row. */
  readonly length: number
  /** Model and rows; null where they are not there. */
  readonly files: () => { readonly model: string; readonly rows: string } | null
  /** Settings of each run beside the plain one. */
  readonly ways: Readonly<Record<string, { readonly base?: string; readonly method?: object; readonly train?: object }>>
}

export const work = join(root, 'runs/bench-memory')
export const lora = { name: 'lora', r: 8, alpha: 16, targets: ['query', 'value'] }
/** Updates of a run. */
export const steps = 2

/** A model of random weights and rows of random tokens; made once. */
function random(name: string, config: object, task: TaskName, tokens: number, written = 0): { model: string; rows: string } {
  const model = join(work, name)
  randomModel(model, config, task, 'memory')
  return { model, rows: randomRows(join(model, 'rows.jsonl'), 'memory', { task, rows: 64, tokens, written }) }
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
const whole = { train: { tokensAtOnce: null } }

export const subjects: Readonly<Record<string, Subject>> = {
  'minilm-rte': {
    about: 'all-MiniLM-L6-v2 on RTE, 32 rows of their own lengths',
    ...{ task: 'glue/rte', batchSize: 32, length: 128 },
    files: () => {
      const assets = process.env.ADATUNE_ASSETS
      return assets ? { model: join(assets, 'models/all-MiniLM-L6-v2'), rows: join(assets, 'data/glue-rte/train.jsonl.gz') } : null
    },
    ways: { plain: {}, whole, int8: { base: 'int8' }, 'every-1': remade },
  },
  'bert-base': {
    about: 'BERT base, 16 rows of 128 tokens',
    ...{ task: 'sequence-classification', batchSize: 16, length: 128 },
    files: () => random('bert-base', bert, 'sequence-classification', 128),
    ways: {
      plain: {},
      whole,
      int8: { base: 'int8' },
      'every-1': remade,
      'int8 every-1': { base: 'int8', ...remade },
      full: { method: { name: 'full' } },
    },
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
