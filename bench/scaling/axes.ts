import { join } from 'node:path'
import type { RunSettings } from '../../src/config/run-config.ts'
import type { Method } from '../steps/case.ts'
import { settingsOf } from '../steps/side-files.ts'
import { randomModel } from '../training/random-model.ts'
import { randomRows, SPECIAL } from '../training/random-rows.ts'
import { root } from '../training/trained-run.ts'

/** What a step's time and memory depend on. */
export interface Point {
  readonly rows: number
  /** Tokens of a row. */
  readonly length: number
  readonly layers: number
  readonly width: number
  readonly rank: number
  /** Null: LoRA; else AdaMix of it. */
  readonly experts: number | null
}

/** One of these that is changed while the others stay. */
export interface Axis {
  /** What time and memory are drawn against. */
  readonly title: string
  readonly values: readonly number[]
  /** The setting that takes the values. */
  readonly setting: keyof Point
  /** What is drawn, where that is not the setting itself. */
  readonly drawn?: (point: Point) => number
}

const tokens = ({ rows, length }: Point): number => rows * length

export const axes: Readonly<Record<string, Axis>> = {
  rows: { title: 'tokens of a batch, by the number of its rows', values: [4, 8, 16, 32, 64], setting: 'rows', drawn: tokens },
  length: { title: 'tokens of a batch, by the length of its rows', values: [32, 64, 128, 256, 512], setting: 'length', drawn: tokens },
  layers: { title: 'layers', values: [2, 4, 8, 16], setting: 'layers' },
  width: { title: 'width', values: [64, 128, 256, 512, 1024], setting: 'width' },
  rank: { title: 'rank', values: [2, 4, 8, 16, 32, 64, 128], setting: 'rank' },
  experts: { title: 'experts', values: [2, 4, 8, 16, 32], setting: 'experts' },
}

/** What stays while one is changed: a size to measure, and one to try the measuring out. */
export const sizes = {
  usual: { rows: 16, length: 128, layers: 4, width: 256, rank: 8, experts: null },
  tiny: { rows: 2, length: 8, layers: 1, width: 64, rank: 2, experts: null },
} satisfies Readonly<Record<string, Point>>
export type Size = keyof typeof sizes

/** The values of an axis: all of them, or enough for a line. */
export const valuesOf = (axis: Axis, size: Size): readonly number[] => (size === 'tiny' ? axis.values.slice(0, 2) : axis.values)

export const pointOf = ({ setting }: Axis, value: number, size: Size): Point => ({ ...sizes[size], [setting]: value })

export const work = join(root, 'runs/bench-scaling')
const words = 1000
const most = Math.max(...axes.rows!.values)
const targets = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense']

/** The run that makes a point's steps, with a model of random weights and rows of random tokens. */
export function runOf({ rows, length, layers, width, rank, experts }: Point, threads: number): RunSettings {
  const config = {
    ...{ model_type: 'bert', vocab_size: SPECIAL + words, max_position_embeddings: 512, type_vocab_size: 2 },
    ...{ hidden_size: width, num_hidden_layers: layers, num_attention_heads: width / 64, intermediate_size: 4 * width },
    ...{ hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 },
  }
  const model = join(work, `${layers}-layers-${width}`)
  randomModel(model, config, 'sequence-classification', 'scaling')
  const data = { task: 'sequence-classification', rows: most, tokens: length, words } as const
  const file = randomRows(join(work, `rows-of-${length}.jsonl`), 'scaling', data)
  const lora = { name: 'lora', r: rank, alpha: 16, targets } as const
  const method: Method = experts === null ? lora : { name: 'adamix', of: lora, experts }
  return settingsOf({ batchSize: rows, dropout: null }, { method }, { model, rows: file }, threads)
}
