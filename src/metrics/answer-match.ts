/**
 * An answer as SQuAD compares it: in lower case, without ASCII punctuation and the articles a, an, the, words separated by one space
 * (Rajpurkar et al., "SQuAD: 100,000+ questions for machine comprehension of text", 2016, and its official scripts).
 */
export function normalizedAnswer(text: string): string {
  const bare = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, '')
  // Python's word boundary: letters and digits of all scripts are parts of words.
  return bare
    .replace(/(?<![\p{L}\p{N}])(?:an?|the)(?![\p{L}\p{N}])/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

/** 1 where both answers are the same after normalisation, else 0. */
export const exactMatch = (prediction: string, answer: string): number => Number(normalizedAnswer(prediction) === normalizedAnswer(answer))

const words = (text: string): string[] => normalizedAnswer(text).split(' ').filter(Boolean)

/** F1 of the words of both answers after normalisation, repeated words as often as both have them; `bothEmpty` where neither has any. */
export function wordF1(prediction: string, answer: string, bothEmpty: number): number {
  const [given, wanted] = [words(prediction), words(answer)]
  if (given.length === 0 && wanted.length === 0) return bothEmpty
  const left = [...wanted]
  const same = given.filter((word) => {
    const at = left.indexOf(word)
    if (at >= 0) left.splice(at, 1)
    return at >= 0
  }).length
  return same === 0 ? 0 : (2 * same) / (given.length + wanted.length)
}
