import { join } from 'node:path'
import type { Example } from '../../src/data/examples.ts'
import { teacherForced } from '../../src/data/teacher-forced.ts'
import type { Subject } from '../../src/evaluate/assembly.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
import { openModel } from '../../src/models/open.ts'
import { labels, rows } from './tiny-model.ts'

/** The tiny model of a golden case. */
export const goldenModel = (golden: string): Subject['model'] =>
  openModel(join(import.meta.dirname, `../golden/${golden}/base`), (checkpoint) => checkpoint)

/** Rows of one token type, which every model takes. */
export const plain = rows.map((row) => ({ ...row, types: new Int32Array(row.types.length) }))
/** Rows whose tokens are all asked for. */
export const continued = plain.map((row) => ({ ...row, label: [...row.ids] }))
/** Rows with a text for a decoder. */
export const answered = plain.map((row) => {
  const label = [...row.ids].reverse().slice(0, 4)
  return { ...row, label, decoder: teacherForced(label, { start: 2, padding: 1 }) }
})

/** A golden case's model with the head of a task. */
export function goldenSubject({ golden, task }: { readonly golden: string; readonly task: TaskName }): Subject {
  return { model: goldenModel(golden), head: heads[task], labels: task === 'sequence-classification' ? labels : 0 }
}

interface GoldenBase {
  readonly golden: string
  readonly task: TaskName
  readonly examples: readonly Example[]
  /** Encoder and decoder, or one of them. */
  readonly stacks: number
}

/** A model of each build; those with a classifier take `classified`. */
export const goldenBases = (classified: readonly Example[]): readonly GoldenBase[] => [
  ...['bert', 'roberta', 'distilbert', 'electra', 'deberta-v2', 'mpnet', 'albert', 'modernbert', 'gemma2', 'gpt2'].map((modelType) => ({
    ...{ golden: `${modelType}-cls-lora`, task: 'sequence-classification' as const },
    ...{ examples: classified, stacks: 1 },
  })),
  { golden: 'llama-clm-full', task: 'causal-lm', examples: continued, stacks: 1 },
  { golden: 'qwen3-clm-full', task: 'causal-lm', examples: continued, stacks: 1 },
  { golden: 't5-s2s-lora', task: 'seq2seq-lm', examples: answered, stacks: 2 },
  { golden: 'bart-s2s-lora', task: 'seq2seq-lm', examples: answered, stacks: 2 },
]
