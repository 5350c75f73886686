import { dataPackage } from '../src/demo/data-package.ts'
import { type Stream, stream } from '../src/random/draws.ts'
import { keyOf } from '../src/random/key.ts'
import { type Lexicon, negations, opinionOf, opinionWords, sentimentPackage } from './lexicon.ts'
import { read } from './text-source.ts'

/** A text and the word that says what it thinks. */
export interface Opinion {
  readonly text: string
  readonly verdict: string
}

/** Verdicts and the least opinion for which each is given. */
const verdicts = [
  ['great', 0.6],
  ['good', 0.1],
  ['ok', -0.1],
  ['bad', -0.6],
  ['terrible', Number.NEGATIVE_INFINITY],
] as const

const verdictOf = (opinion: number): string => verdicts.find(([, least]) => opinion >= least)![0]

/** How often the few reviews are read. */
const TIMES = 8

/** Sentences of reviews of films, restaurants and phones (UCI Sentiment Labelled Sentences, Creative Commons Attribution 4.0). */
export async function reviews(): Promise<Opinion[]> {
  const folder = await dataPackage(sentimentPackage)
  const rows = ['imdb', 'yelp', 'amazon'].flatMap(
    (name) => JSON.parse(read(folder, `test/fixtures/${name}.json`)) as readonly { readonly text: string; readonly class: 0 | 1 }[],
  )
  return Array.from({ length: TIMES }, () => rows.map((row) => ({ text: row.text, verdict: row.class === 1 ? 'good' : 'bad' }))).flat()
}

/** Words of a sentence that is coloured, and of the parts of two that are joined by a "but". */
const [FEWEST, MOST, PART] = [3, 30, 14]
/** The share of joined sentences. */
const JOINED = 0.1
/** Shares of sentences in which none, one, two or three words give way to words of opinion. */
const REPLACED = [0.25, 0.35, 0.25, 0.15]
/** Shares of such words: of one opinion in a sentence, and negated. */
const [ALIKE, NEGATED] = [0.85, 0.12]

const pick = <Item>(items: readonly Item[], { below }: Stream): Item => items[below(items.length)]!

/** An index, each as often as its share says. */
function drawnIndex(shares: readonly number[], { uniform }: Stream): number {
  let left = uniform()
  return shares.findIndex((share, i) => {
    left -= share
    return left < 0 || i === shares.length - 1
  })
}

/** The words of a text's sentences; short and long ones are left out. */
const sentencesOf = (text: string): string[][] =>
  text
    .toLowerCase()
    .split(/(?<=[.!?;:])\s+|"/)
    .map((sentence) => sentence.match(/[a-z][a-z'-]*|[,.!?]/g) ?? [])
    .filter(({ length }) => length >= FEWEST && length <= MOST)

/** Colours sentences: words of opinion take the places of some of their words, so that each of them is read in many sentences. */
function brush(lexicon: Lexicon, draws: Stream): (sentence: readonly string[]) => string[] {
  const words = [...lexicon.keys()]
  const sides = [words.filter((word) => lexicon.get(word)! > 0), words.filter((word) => lexicon.get(word)! < 0)]
  return (sentence) => {
    const coloured = [...sentence]
    const side = draws.below(2)
    for (let left = drawnIndex(REPLACED, draws); left > 0; left--) {
      const word = pick(sides[draws.uniform() < ALIKE ? side : 1 - side]!, draws)
      coloured[draws.below(coloured.length)] = draws.uniform() < NEGATED ? `${pick(negations, draws)} ${word}` : word
    }
    return coloured.flatMap((word) => word.split(' '))
  }
}

/** So many sentences of texts, coloured, with what their words say of them by the lexicon; the same ones every time. */
export async function colouredSentences(texts: AsyncIterable<string>, count: number): Promise<Opinion[]> {
  const lexicon = await opinionWords()
  const draws = stream(keyOf('opinions'))
  const coloured = brush(lexicon, draws)
  const sentences: string[][] = []
  for await (const text of texts) sentences.push(...sentencesOf(text))
  const part = (): string[] => coloured(pick(sentences, draws).slice(0, PART))
  return Array.from({ length: count }, () => {
    const words = draws.uniform() < JOINED ? [...part(), ',', 'but', ...part()] : coloured(pick(sentences, draws))
    return { text: words.join(' '), verdict: verdictOf(opinionOf(words, lexicon)) }
  })
}
