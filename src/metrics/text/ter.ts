import { mean } from '../moments.ts'
import { spacedWords } from './mteval-words.ts'
import { editsWithShifts } from './ter-shifts.ts'
import type { TextMetric } from './text-metric.ts'

const words = (text: string): string[] => spacedWords(text.toLowerCase())

/**
 * Translation edit rate of a corpus (Snover et al., "A study of translation edit rate with targeted human annotation", 2006) in percent of
 * the references' words, 0 for equal texts, above 100 where most is wrong: insertions, deletions, substitutions and shifts of blocks, the
 * fewest over an example's references, over their mean length. sacrebleu 2.6's default: lower case, punctuation stays with its word.
 */
export const ter: TextMetric = {
  names: ['ter'],
  terms: (hypotheses, references) =>
    hypotheses.map((hypothesis, i) => {
      const wanted = references[i]!.map(words)
      const edits = wanted.map((reference) => editsWithShifts(words(hypothesis), reference))
      return [Math.min(...edits), mean(wanted.map((reference) => reference.length))]
    }),
  score: ([edits, length]) => ({ ter: length! > 0 ? (100 * edits!) / length! : edits! > 0 ? 100 : 0 }),
}
