import { captionWords } from './caption-words.ts'
import { commonLength } from './common-subsequence.ts'
import { meanMetric } from './text-metric.ts'

/** Recall weighs beta squared times as much as precision. */
const BETA = 1.2

const words = (text: string): string[] => captionWords(text).join(' ').split(' ')

/**
 * ROUGE-L as the scorer of COCO captions and of the E2E challenge has it, in 0..1, the mean over examples (Lin 2004; Chen et al.,
 * "Microsoft COCO captions: data collection and evaluation server", 2015): of several references the best precision and the best recall,
 * maybe of two of them; recall weighs more; no stemming. A text without words counts as one empty word.
 */
export const captionRougeL = meanMetric(['captionRougeL'], (hypothesis, references) => {
  const answer = words(hypothesis)
  const each = references.map(words).map((wanted) => ({ length: wanted.length, hits: commonLength(answer, wanted) }))
  const precision = Math.max(...each.map(({ hits }) => hits / answer.length))
  const recall = Math.max(...each.map(({ hits, length }) => hits / length))
  const score = precision > 0 ? ((1 + BETA ** 2) * precision * recall) / (recall + BETA ** 2 * precision) : 0
  return { captionRougeL: score }
})
