import type { Head } from './head.ts'
import { type Asks, vocabularyHead } from './vocabulary.ts'

/** Each token is asked for the label of the next one; without labels the last for what follows. */
export const nextWords: Asks = ({ mask, label }) => {
  if (label === null) return [{ place: mask.lastIndexOf(1), target: null }]
  return (label as readonly number[]).slice(1).flatMap((target, place) => (target < 0 ? [] : [{ place, target }]))
}

/** Each token of the second text is asked for its label; without labels the last for what follows. */
export const writtenWords: Asks = ({ label, decoder }) => {
  if (label === null) return [{ place: decoder!.ids.length - 1, target: null }]
  return (label as readonly number[]).flatMap((target, place) => (target < 0 ? [] : [{ place, target }]))
}

/** The next token of each row; a label for each token, of which that of the next one counts. */
export const causal: Head = vocabularyHead('causal-lm', nextWords)

/** The tokens of a second text, written after the first has been read; a label for each token of the decoder. */
export const sequenceToSequence: Head = vocabularyHead('seq2seq-lm', writtenWords, (batch) => batch.decoder!)
