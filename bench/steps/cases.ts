import { join } from 'node:path'
import { randomModel } from '../training/random-model.ts'
import { randomRows } from '../training/random-rows.ts'
import { smollm2 } from '../training/smollm2.ts'
import { root } from '../training/trained-run.ts'
import type { Case, Figure, Method } from './case.ts'

export const cache = join(root, 'runs/bench-step')
const [rowsOfBatch, tokensOfRow, batchesOfRows] = [16, 128, 4]

/** A BERT of the base size with random weights, and rows of 128 random tokens; made once. */
function randomBertBase(): { model: string; rows: string } {
  const model = join(cache, 'bert-base-random')
  const config = {
    model_type: 'bert',
    architectures: ['BertForSequenceClassification'],
    num_hidden_layers: 12,
    hidden_size: 768,
    num_attention_heads: 12,
    intermediate_size: 3072,
    vocab_size: 30522,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
  }
  randomModel(model, config, 'sequence-classification', 'bench')
  return {
    model,
    rows: randomRows(join(model, 'rows.jsonl'), 'bench', {
      task: 'sequence-classification',
      rows: batchesOfRows * rowsOfBatch,
      tokens: tokensOfRow,
      words: 29_000,
    }),
  }
}

/** SmolLM2 with random weights, and rows of 256 random tokens; made once. */
function randomSmollm2(): { model: string; rows: string } {
  const model = join(cache, 'smollm2-random')
  randomModel(model, smollm2, 'causal-lm', 'bench')
  const rows = { task: 'causal-lm', rows: batchesOfRows * 8, tokens: 256, words: 48_000 } as const
  return { model, rows: randomRows(join(model, 'rows.jsonl'), 'bench', rows) }
}

const miniLmOn = (task: string) => (): { model: string; rows: string } | null => {
  const assets = process.env.ADATUNE_ASSETS
  return assets ? { model: join(assets, 'models/all-MiniLM-L6-v2'), rows: join(assets, `data/glue-${task}/train.jsonl.gz`) } : null
}

const linears = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense']
const loraOf = (r: number, targets: string[] = linears) => ({ name: 'lora', r, alpha: 16, targets }) as const
const upper = { ...loraOf(8, ['query', 'value']), layers: 'last 4' } as const
/** Updates of a run, of which only the first are made. */
export const updates = 1000
const adalora = (tInit: number, tFinal: number) =>
  ({ name: 'adalora', initR: 12, targetR: 8, alpha: 16, targets: linears, orthogonality: 0.1, deltaT: 1, tInit, tFinal }) as const
/** Nothing is allocated as long as steps are measured, or all is before. */
const [unallocated, allocated] = [adalora(updates - 100, 50), adalora(1, updates - 3)]
const bottleneck = { name: 'bottleneck', variant: 'ffn-output', size: 16 } as const
const adamix = { name: 'adamix', of: bottleneck, experts: 4 } as const
const [hidden, inner, tokens] = [768, 3072, rowsOfBatch * tokensOfRow]

const bert = {
  batchSize: rowsOfBatch,
  files: randomBertBase,
  products: [
    [tokens, hidden, hidden],
    [tokens, hidden, inner],
    [tokens, inner, hidden],
  ],
} as const

const figure = (name: string, of: string, over: string, by: Figure['by'], most: number | null): Figure => ({ name, of, over, by, most })
const memoryOf = (of: string, most: number | null): Figure => figure(`${of} memory`, of, 'torch', 'memory', most)
const overProducts = (of: string, most: number | null): Figure => figure(`${of} step over its products`, of, 'limit', 'time', most)

/** A method with a frozen base: as it is, with packed weights and in int8, against torch. */
function frozenBase(method: Method, { time, int8, memory }: { time: number | null; int8: number | null; memory: boolean }) {
  const ours = { engine: 'adatune', method } as const
  return {
    sides: {
      float32: ours,
      packed: { ...ours, train: { packed: true } },
      int8: { ...ours, base: 'int8' as const },
      torch: { engine: 'torch', method } as const,
    },
    figures: [
      ...['float32', 'packed'].map((of) => figure(`${of} step`, of, 'torch', 'time', time)),
      ...['float32', 'packed'].map((of) => overProducts(of, 1.25)),
      overProducts('torch', null),
      figure('int8 step', 'int8', 'torch', 'time', int8),
      ...['float32', 'packed'].map((of) => memoryOf(of, memory ? 0.5 : null)),
      memoryOf('int8', memory ? 0.4 : null),
    ],
  }
}

const over = (of: string, by: string, most: number | null): Figure => figure(`${of} step over ${by}`, of, by, 'time', most)

function mixed(dropout: number | null, most: number): Case {
  return {
    about: `BERT base, AdaMix of bottlenecks and the single bottleneck, ${dropout === 0 ? 'no dropout' : 'dropout 0.1'}`,
    dropout,
    ...bert,
    sides: {
      adamix: { engine: 'adatune', method: adamix },
      bottleneck: { engine: 'adatune', method: bottleneck },
      'adamix, whole': { engine: 'adatune', method: adamix, train: { tokensAtOnce: null } },
      'bottleneck, whole': { engine: 'adatune', method: bottleneck, train: { tokensAtOnce: null } },
    },
    figures: [
      over('adamix', 'bottleneck', most),
      over('adamix, whole', 'bottleneck, whole', null),
      figure('share of the consistency loss', 'consistency', 'adamix', 'time', 0.01),
    ],
  }
}

const chunkSizes = [1024, 512, 256]

const llamaLinears = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
const decoder = loraOf(8, llamaLinears)

const miniLm = frozenBase(loraOf(8), { time: null, int8: null, memory: false })
const epochOf = (by: 'float32' | 'int8', most: number): Figure => figure(`${by} epoch`, by, 'torch', 'total', most)

export const cases: Readonly<Record<string, Case>> = {
  'lora-qv': {
    about: 'BERT base, LoRA r 8 on queries and values, dropout 0.1',
    dropout: null,
    ...bert,
    ...frozenBase(loraOf(8, ['query', 'value']), { time: 1, int8: 0.4, memory: true }),
  },
  'lora-qv-no-dropout': {
    about: 'BERT base, LoRA r 8 on queries and values, no dropout',
    dropout: 0,
    ...bert,
    ...frozenBase(loraOf(8, ['query', 'value']), { time: 1, int8: 0.4, memory: false }),
  },
  'lora-linears': {
    about: 'BERT base, LoRA r 8 on all six linear maps, dropout 0.1',
    dropout: null,
    ...bert,
    ...frozenBase(loraOf(8), { time: 0.85, int8: 0.4, memory: true }),
  },
  chunks: {
    about:
      'BERT base, LoRA r 8 on all six linear maps, dropout 0.1: in chunks of about 1,024 tokens, as is the default, or of others, and whole',
    dropout: null,
    ...bert,
    sides: {
      whole: { engine: 'adatune', method: loraOf(8), train: { tokensAtOnce: null } },
      ...Object.fromEntries(
        chunkSizes.map((tokensAtOnce) => [`${tokensAtOnce}`, { engine: 'adatune', method: loraOf(8), train: { tokensAtOnce } }]),
      ),
    },
    figures: chunkSizes.flatMap((tokens) => [
      over(`${tokens}`, 'whole', null),
      figure(`${tokens} memory`, `${tokens}`, 'whole', 'memory', null),
    ]),
  },
  recompute: {
    about: 'BERT base, LoRA r 8 on queries and values, dropout 0.1, each layer made again in the backward pass',
    dropout: null,
    ...bert,
    sides: {
      float32: { engine: 'adatune', method: loraOf(8, ['query', 'value']), train: { recompute: 'every-1' } },
      int8: { engine: 'adatune', method: loraOf(8, ['query', 'value']), base: 'int8', train: { recompute: 'every-1' } },
      torch: { engine: 'torch', method: loraOf(8, ['query', 'value']) },
    },
    figures: ['float32', 'int8'].flatMap((of) => [memoryOf(of, 0.25), figure(`${of} step`, of, 'torch', 'time', null)]),
  },
  smollm2: {
    about:
      'SmolLM2-135M, LoRA r 8 on all seven linear maps, 8 rows of 256 tokens, the loss over the vocabulary, no dropout; also with each layer made again (every-1)',
    task: 'causal-lm',
    dropout: 0,
    batchSize: 8,
    files: randomSmollm2,
    apart: true,
    sides: {
      float32: { engine: 'adatune', method: decoder },
      int8: { engine: 'adatune', method: decoder, base: 'int8' },
      int4: { engine: 'adatune', method: decoder, base: 'int4' },
      'int8 every-1': { engine: 'adatune', method: decoder, base: 'int8', train: { recompute: 'every-1' } },
      'int4 every-1': { engine: 'adatune', method: decoder, base: 'int4', train: { recompute: 'every-1' } },
      torch: { engine: 'torch', method: decoder },
    },
    figures: ['float32', 'int8', 'int4', 'int8 every-1', 'int4 every-1'].flatMap((of) => [
      figure(`${of} step`, of, 'torch', 'time', null),
      memoryOf(of, null),
    ]),
  },
  full: {
    about: 'BERT base, full fine-tuning, dropout 0.1',
    dropout: null,
    ...bert,
    sides: { float32: { engine: 'adatune', method: { name: 'full' } }, torch: { engine: 'torch', method: { name: 'full' } } },
    figures: [
      figure('float32 step', 'float32', 'torch', 'time', 1.2),
      overProducts('float32', 1.25),
      overProducts('torch', null),
      memoryOf('float32', null),
    ],
  },
  'full-accumulated': {
    about: 'BERT base, full fine-tuning, dropout 0.1: an update of four micro-batches of 4 rows, and of one of 16',
    dropout: null,
    ...bert,
    sides: {
      whole: { engine: 'adatune', method: { name: 'full' } },
      'in four': { engine: 'adatune', method: { name: 'full' }, train: { batchSize: rowsOfBatch / 4, accumulate: 4 } },
    },
    figures: [over('in four', 'whole', null), figure('in four memory', 'in four', 'whole', 'memory', null)],
  },
  adalora: {
    about: 'BERT base, AdaLoRA from rank 12 and LoRA of rank 12 on all six linear maps, dropout 0.1',
    dropout: null,
    ...bert,
    sides: {
      adalora: { engine: 'adatune', method: unallocated },
      lora: { engine: 'adatune', method: loraOf(12) },
      'torch adalora': { engine: 'torch', method: unallocated },
      'torch lora': { engine: 'torch', method: loraOf(12) },
    },
    figures: [over('adalora', 'lora', 1.03), over('torch adalora', 'torch lora', null)],
  },
  'adalora-final': {
    about: 'BERT base, AdaLoRA after its budget has fallen from rank 12 to 8 and LoRA of rank 8 on all six linear maps, dropout 0.1',
    dropout: null,
    ...bert,
    warmup: 4,
    sides: { adalora: { engine: 'adatune', method: allocated }, lora: { engine: 'adatune', method: loraOf(8) } },
    figures: [over('adalora', 'lora', 1.02)],
  },
  adamix: mixed(null, 2),
  'adamix-no-dropout': mixed(0, 1.97),
  'adamix-lora': {
    about: 'BERT base, AdaMix of LoRA r 8 on all six linear maps and the single LoRA, dropout 0.1',
    dropout: null,
    ...bert,
    sides: {
      adamix: { engine: 'adatune', method: { name: 'adamix', of: loraOf(8), experts: 4 } },
      lora: { engine: 'adatune', method: loraOf(8) },
    },
    figures: [over('adamix', 'lora', 2)],
  },
  'upper-layers': {
    about:
      'BERT base, LoRA r 8 on queries and values of all layers, of the last 4, and of these with what the layers below make kept (cachePrefix), no dropout',
    dropout: 0,
    ...bert,
    warmup: batchesOfRows,
    sides: {
      all: { engine: 'adatune', method: loraOf(8, ['query', 'value']) },
      'last 4': { engine: 'adatune', method: upper, train: { cachePrefix: false } },
      'last 4, kept': { engine: 'adatune', method: upper, train: { cachePrefix: true } },
    },
    figures: [over('last 4', 'all', null), over('last 4, kept', 'last 4', null), over('last 4, kept', 'all', null)],
  },
  'minilm-mrpc': {
    about: 'all-MiniLM-L6-v2 on MRPC, LoRA r 8 on all six linear maps, 32 rows of their own lengths, dropout 0.1',
    dropout: null,
    batchSize: 32,
    files: miniLmOn('mrpc'),
    sides: miniLm.sides,
    figures: miniLm.figures.filter(({ over }) => over !== 'limit'),
  },
  'minilm-rte-epoch': {
    about: 'all-MiniLM-L6-v2, one epoch of RTE in random order, LoRA r 8 on all six linear maps, 32 rows of their own lengths, dropout 0.1',
    dropout: null,
    batchSize: 32,
    files: miniLmOn('rte'),
    steps: 'epoch',
    sides: miniLm.sides,
    figures: [epochOf('float32', 0.5), epochOf('int8', 0.3)],
  },
}
