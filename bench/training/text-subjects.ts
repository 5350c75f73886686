import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Row, readRows } from '../../src/data/read-rows.ts'
import type { TaskName } from '../../src/heads/index.ts'
import { shuffledBy } from './chosen-rows.ts'
import { unpackModel } from './packed-model.ts'
import { randomModel } from './random-model.ts'

/** A data set of texts to write, and the model that writes them. */
export interface Subject {
  readonly model: string
  readonly kind: TaskName
  /** Files below the assets' data; without `test` the rows of one file are parted, the scored ones first. */
  readonly train: string
  readonly test?: string
  readonly columns: { readonly text: string; readonly label: string }
  readonly prefix: string
  /** Tokens of a text that is read (with a decoder of its own; else of the whole row), and of one that is written. */
  readonly maxLength: number
  readonly targetLength: number
  readonly metric: string
  readonly methods: readonly string[]
  readonly usual: {
    readonly rows: number
    readonly scored: number
    readonly batch: number
    readonly epochs?: number
    readonly steps?: number
  }
}

const t5 = { model: 'flan-t5-small-titler', kind: 'seq2seq-lm' } as const
const triples = { columns: { text: 'triples', label: 'refs' }, prefix: 'describe: ', maxLength: 192, targetLength: 96, metric: 'bleu' }
const summary = { columns: { text: 'document', label: 'summary' }, prefix: 'summarize: ', metric: 'rouge' }
const e2e = {
  ...{ train: 'e2e/train.tok.jsonl.gz', test: 'e2e/dev.tok.jsonl.gz', columns: { text: 'mr', label: 'ref' } },
  ...{ maxLength: 128, targetLength: 64, metric: 'bleu' },
}

export const subjects: Readonly<Record<string, Subject>> = {
  webnlg: {
    ...{ ...t5, ...triples, train: 'webnlg/train.jsonl.gz', test: 'webnlg/dev.jsonl.gz' },
    ...{ methods: ['lora', 'adalora', 'adamix'], usual: { rows: 2500, scored: 300, batch: 8, epochs: 1 } },
  },
  e2e: {
    ...{ ...t5, ...e2e, prefix: 'describe: ' },
    ...{ methods: ['lora', 'adalora', 'adamix'], usual: { rows: 2500, scored: 300, batch: 8, epochs: 1 } },
  },
  xsum: {
    ...{ ...t5, ...summary, train: 'xsum/test1k.jsonl.gz', maxLength: 384, targetLength: 64 },
    ...{ methods: ['lora'], usual: { rows: 800, scored: 200, batch: 8, epochs: 1 } },
  },
  dart: {
    ...{ ...t5, ...triples, train: 'dart/dev.jsonl.gz', test: 'dart/test.jsonl.gz' },
    ...{ methods: ['lora'], usual: { rows: 400, scored: 100, batch: 8, epochs: 1 } },
  },
  'cnn-dailymail': {
    ...{ ...t5, ...summary, train: 'cnn-dailymail/sample200.jsonl.gz', maxLength: 512, targetLength: 128 },
    ...{ methods: ['lora'], usual: { rows: 100, scored: 40, batch: 4, epochs: 1 } },
  },
  'e2e-gpt2': {
    ...{ ...e2e, model: 'gpt2-random', kind: 'causal-lm', prefix: '' },
    ...{ methods: ['lora'], usual: { rows: 160, scored: 20, batch: 8, steps: 20 } },
  },
}

/** A row with the first of its answers alone, where it has several. */
function withFirst({ values, ...place }: Row, label: string): Row {
  const all = values.get(label)
  return { ...place, values: new Map([...values, [label, Array.isArray(all) ? all[0] : all]]) }
}

/** So many training rows, each with one answer, and all rows of so many other texts. */
export async function rowsOf(
  { train, test, columns }: Subject,
  assets: string,
  counts: { readonly rows: number; readonly scored: number },
): Promise<{ readonly train: readonly Row[]; readonly scored: readonly Row[] }> {
  const read = (file: string): Promise<Row[]> => readRows(join(assets, 'data', file))
  const textOf = ({ values }: Row): string => JSON.stringify(values.get(columns.text))
  const candidates = shuffledBy(await read(test ?? train), textOf)
  const texts = new Set([...new Set(candidates.map(textOf))].slice(0, counts.scored))
  const rest = (test === undefined ? candidates : await read(train)).filter((row) => !texts.has(textOf(row)))
  const chosen = shuffledBy(rest, ({ values }) => JSON.stringify([...values])).slice(0, counts.rows)
  return { train: chosen.map((row) => withFirst(row, columns.label)), scored: candidates.filter((row) => texts.has(textOf(row))) }
}

const gpt2 = {
  ...{ model_type: 'gpt2', vocab_size: 50257, n_embd: 768, n_layer: 12, n_head: 12, n_positions: 1024 },
  ...{ bos_token_id: 50256, eos_token_id: 50256 },
}

/** Model folders below `work`: unpacked from the assets, or made with random weights. */
const folders: Readonly<Record<string, (folder: string, assets: string) => void>> = {
  'flan-t5-small-titler': (folder, assets) => unpackModel(join(assets, 'models/flan-t5-small-titler'), folder),
  'gpt2-random': (folder, assets) => {
    randomModel(folder, gpt2, 'causal-lm', 'texts')
    copyFileSync(join(assets, 'models/tokenizers/gpt2/tokenizer.json'), join(folder, 'tokenizer.json'))
  },
}

/** The folder of a subject's model, made where it is not there yet. */
export function modelOf({ model }: Subject, assets: string, work: string): string {
  const folder = join(work, model)
  mkdirSync(folder, { recursive: true })
  folders[model]!(folder, assets)
  return folder
}
