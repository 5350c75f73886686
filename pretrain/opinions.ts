import { shuffledBy } from '../bench/training/chosen-rows.ts'
import { brown, mails } from './language.ts'
import { packaged, read, type TextSource } from './text-source.ts'

/** How often the few sentences and words of opinion are read. */
const TIMES = 16
/** Words of one line of a thesaurus. */
const WORDS = 16

/** The same things in another order each time, whenever it is asked. */
const shuffled = (texts: readonly string[], time: number): string[] => shuffledBy(texts, (text) => `${time} ${text}`)

function* chunks<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

const sentiment = {
  name: 'sentiment',
  version: '5.0.2',
  integrity: 'sha512-ZeC3y0JsOYTdwujt5uOd7ILJNilbgFzUtg/LEG4wUv43LayFNLZ28ec8+Su+h3saHlJmIwYxBzfDHHZuiMA15g==',
}

/** Sentences of reviews, without their labels. */
const reviews = packaged(
  {
    name: 'Sentences of reviews of films, restaurants and phones (UCI Sentiment Labelled Sentences, in sentiment)',
    licence: 'Creative Commons Attribution 4.0',
  },
  sentiment,
  function* (folder) {
    const texts = ['imdb', 'yelp', 'amazon'].flatMap((name) =>
      (JSON.parse(read(folder, `test/fixtures/${name}.json`)) as readonly { text: string }[]).map(({ text }) => text),
    )
    for (let time = 0; time < TIMES; time++) yield* shuffled(texts, time)
  },
)

/** What AFINN's scores say, from 1 to 5, of good or of bad. */
const degrees = ['a little', 'quite', 'very', 'extremely', 'extremely']

/** Words of opinion, those of one score together. */
const afinn = packaged(
  { name: 'AFINN, words with how good or bad they are (in sentiment)', licence: 'MIT' },
  sentiment,
  function* (folder) {
    const scores = Object.entries(JSON.parse(read(folder, 'languages/en/labels.json')) as Readonly<Record<string, number>>)
    for (let time = 0; time < TIMES; time++) {
      const lines = [...new Set(scores.map(([, score]) => score))]
        .filter((score) => score !== 0)
        .flatMap((score) => {
          const words = scores.filter(([, own]) => own === score).map(([word]) => word)
          const said = `${degrees[Math.abs(score) - 1]} ${score > 0 ? 'good' : 'bad'}`
          return [...chunks(shuffled(words, time), WORDS)].map((some) => `${some.join(', ')}: ${said}`)
        })
      yield* shuffled(lines, time)
    }
  },
)

/** A word with some of its synonyms. */
const thesaurus = packaged(
  { name: 'Moby Thesaurus (moby)', licence: 'public domain' },
  {
    name: 'moby',
    version: '1.1.2',
    integrity: 'sha512-1tFwOBa+vg02pjXAlyrOFRVTmXrhwNh5Eo+MldHRLT/pnpibe6B03jQYv9KKmv1WrGbBh0VPt7MqT+Y8geqoCg==',
  },
  (folder) =>
    read(folder, 'words.txt')
      .split('\n')
      .map((line) => {
        const [word, ...synonyms] = line.split(',')
        return `${word}: ${shuffled(synonyms, 0).slice(0, WORDS).join(', ')}`
      }),
)

/** What few rows about taste and about mail need most: words of opinion with their like, and mail once more. */
export const opinions: readonly TextSource[] = [reviews, afinn, thesaurus, brown, mails]
