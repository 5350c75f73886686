import { assertSameLength } from './same-length.ts'

const tagOf = (label: string): { prefix: string; type: string } => {
  const prefix = label.slice(0, 1)
  const rest = label.slice(1)
  return { prefix, type: rest.slice(rest.indexOf('-') + 1) || '_' }
}

/** The spans of a row of labels, each as `type start end`, the end excluded. */
function spansOf(labels: readonly string[]): Set<string> {
  const spans = new Set<string>()
  let [before, start] = [{ prefix: 'O', type: '' }, 0]
  for (const [i, label] of [...labels, 'O'].entries()) {
    const tag = tagOf(label)
    const changed = before.type !== tag.type
    const inside = before.prefix !== 'O'
    if (inside && (changed || 'ES'.includes(before.prefix) || 'BSO'.includes(tag.prefix))) spans.add(`${before.type} ${start} ${i}`)
    const open = 'BI'.includes(before.prefix)
    if ('BS'.includes(tag.prefix) || ('IE'.includes(tag.prefix) && (!open || changed))) start = i
    before = tag
  }
  return spans
}

/**
 * Precision, recall and F1 over whole spans, in 0..1 and 0 where undefined (Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003
 * shared task", 2003): a span counts where type, start and end are right. `predictions` and `labels` are [rows][words] of `O`, `B-x`,
 * `I-x` and also `E-x` and `S-x`; an `I-x` that follows no `x` starts a span, as in conlleval and seqeval's default mode. RangeError where
 * the sizes differ.
 */
export function spanScores(
  predictions: readonly (readonly string[])[],
  labels: readonly (readonly string[])[],
): { precision: number; recall: number; f1: number } {
  assertSameLength(predictions, labels)
  let [predicted, labelled, both] = [0, 0, 0]
  for (const [row, words] of labels.entries()) {
    if (words.length !== predictions[row]!.length) {
      throw new RangeError(`metrics: row ${row} has ${predictions[row]!.length} predictions for ${words.length} labels`)
    }
    const [given, wanted] = [spansOf(predictions[row]!), spansOf(words)]
    predicted += given.size
    labelled += wanted.size
    for (const span of given) if (wanted.has(span)) both++
  }
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  return { precision: share(both, predicted), recall: share(both, labelled), f1: share(2 * both, predicted + labelled) }
}
