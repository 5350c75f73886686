import { heads } from '../heads/index.ts'
import type { Model } from '../models/open.ts'
import type { Card } from './adapter.ts'
import { className } from './class-name.ts'
import { labelMaps } from './labels.ts'
import type { Json } from './python-json.ts'

/** Fields of HF's configs that Python types as floats. */
export const isConfigFloat = (key: string): boolean => /(^|_)(dropout|dropout_prob|range|eps|theta|factor|softcapping)$/.test(key)

/** Models whose class in transformers tells the kind of task by its labels, and notes none. */
const unnoted: ReadonlySet<string> = new Set(['deberta-v2'])

const problemTypes = { 'sequence-classification': 'single_label_classification', regression: 'regression' } as const

/** A model's `config.json` with a task's head on it; all weights are float32. */
export function modelConfig(model: Model, card: Card): Record<string, Json> {
  const { id2label: _names, label2id: _indices, num_labels: _count, problem_type: _type, ...rest } = model.config as Record<string, Json>
  const { task } = card
  const floats = Object.fromEntries(['dtype', 'torch_dtype'].filter((key) => key in rest).map((key) => [key, 'float32']))
  // Spans and words have no names; two outputs are what HF takes where a config names no labels.
  const named = task !== null && ['sequence-classification', 'token-classification'].includes(heads[task].wiring)
  const names = named ? labelMaps(card) : {}
  const noted = (task === 'sequence-classification' || task === 'regression') && !unnoted.has(model.modelType)
  const problem: Record<string, Json> = noted ? { problem_type: problemTypes[task] } : {}
  return { ...rest, ...floats, architectures: [className(model, task)], ...(names as Record<string, Json>), ...problem }
}
