import { tokenLabels } from '../data/labels.ts'
import { cellOf } from '../data/row.ts'
import type { Head } from '../heads/head.ts'
import { causal, sequenceToSequence } from '../heads/language.ts'
import { only } from './answered.ts'
import { consecutive } from './distributions.ts'
import { labelColumns, oneExample } from './one-example.ts'
import { argmax, mean, negativeLogLikelihood } from './softmax.ts'
import type { Task } from './task.ts'

/** A task over texts; `ahead` is how far before its target a token's logits stand. */
function languageTask(head: Head, ahead: number): Task {
  const targetsOf = (label: unknown): number[] => (label as readonly number[]).map((_, i, labels) => labels[i + ahead] ?? -100)
  const rowsOf = (logits: Float32Array, tokens: number): Float32Array[] => {
    const classes = logits.length / tokens
    return Array.from({ length: tokens }, (_, i) => logits.subarray(i * classes, (i + 1) * classes))
  }
  return {
    head,
    classes: false,
    primary: 'loss',
    metricNames: ['loss', 'perplexity', 'accuracy'],
    discover: () => [],
    labelColumns,
    maxLength: 128,
    read: oneExample((row, column) => tokenLabels(cellOf(row, column), Number.MAX_SAFE_INTEGER, row, column)),
    distributions: { places: consecutive, targets: targetsOf },
    metrics(answered) {
      const each = answered.map(only).flatMap(({ logits: row, label }) => {
        const targets = targetsOf(label)
        const rows = rowsOf(row, targets.length)
        return targets.flatMap((target, j) => (target < 0 ? [] : [{ target, logits: rows[j]! }]))
      })
      const loss = mean(each.map(({ logits: row, target }) => negativeLogLikelihood(row, target)))
      return { loss, perplexity: Math.exp(loss), accuracy: mean(each.map(({ logits: row, target }) => (argmax(row) === target ? 1 : 0))) }
    },
    answer: (answered) => ({ logits: [...only(answered).logits] }),
    raw: (answered) => ({ logits: [...only(answered).logits] }),
  }
}

export const causalLanguage: Task = languageTask(causal, 1)
export const sequenceToSequenceLanguage: Task = languageTask(sequenceToSequence, 0)
