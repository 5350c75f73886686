import type { Fields } from '../json-file.ts'
import type { Card } from './adapter.ts'

/** The maps between label names and indices, as HF's configs have them. */
export function labelMaps({ labels, outputs }: Card): { id2label: Record<string, string>; label2id: Record<string, number> } {
  const names = labels && labels.length > 0 ? labels : Array.from({ length: outputs ?? 0 }, (_, i) => `LABEL_${i}`)
  return {
    id2label: Object.fromEntries(names.map((name, i) => [String(i), name])),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  }
}

/** The names of a `label2id` in order; null where HF made them up or they do not count from 0. */
export function labelNames(label2id: Fields): string[] | null {
  const names = Object.keys(label2id).sort((a, b) => Number(label2id[a]) - Number(label2id[b]))
  const counted = names.length > 0 && names.every((name, i) => label2id[name] === i)
  return counted && !names.every((name, i) => name === `LABEL_${i}`) ? names : null
}

/** The outputs of the head among some tensors; `prefix` stands before HF's names. Null where there is no head. */
export function headOutputs(tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>, prefix = ''): number | null {
  for (const name of ['classifier.out_proj', 'classifier', 'score', 'qa_outputs']) {
    const outputs = tensors.get(`${prefix}${name}.weight`)?.shape[0]
    if (outputs !== undefined) return outputs
  }
  return null
}
