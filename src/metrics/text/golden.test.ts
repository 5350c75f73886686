import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { captionWords } from './caption-words.ts'
import { textMetric, textMetrics, textScores } from './index.ts'
import { mtevalWords } from './mteval-words.ts'
import { porterStem } from './porter-stem.ts'

// test/golden/metrics/make.py writes the expected numbers with the reference implementations.

interface Sacrebleu {
  score: number
  sentences: number[]
}

interface Expected {
  rouge: Record<string, number>
  bleu: Sacrebleu
  bleuLowercase: Sacrebleu
  chrf: Sacrebleu
  ter: Sacrebleu
  meteor: number
  mteval: { nist: number; bleu: number }
  captions: { cider: number; rougeL: number; words: { hypotheses: string[]; references: string[][] } }
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../../test/golden/metrics/${name}.json`, import.meta.url), 'utf8'))
const inputs = read('inputs') as { corpora: Record<string, { hypotheses: string[]; references: string[][] }>; words: string }
const expected = read('expected') as { corpora: Record<string, Expected>; tokens13a: Record<string, string[]>; stems: string }

const near = (actual: number | undefined, wanted: number, what: string, tolerance = 1e-6) =>
  assert.ok(actual !== undefined && Math.abs(actual - wanted) <= tolerance, `${what}: ${actual}, expected ${wanted}`)

for (const [name, { hypotheses, references }] of Object.entries(inputs.corpora)) {
  const wanted = expected.corpora[name]!
  const score = (metric: string) => textScores(textMetric(metric), hypotheses, references)

  test(`${name}: ROUGE, as rouge-score`, () => {
    const scores = score('rouge')
    assert.deepEqual(Object.keys(scores), Object.keys(wanted.rouge))
    for (const [key, value] of Object.entries(wanted.rouge)) near(scores[key], value, key)
  })

  for (const metric of ['bleu', 'bleuLowercase', 'chrf', 'ter'] as const) {
    test(`${name}: ${metric}, as sacrebleu, of the corpus and of each example`, () => {
      near(score(metric)[metric], wanted[metric].score, metric)
      for (const [i, value] of wanted[metric].sentences.entries()) {
        near(textScores(textMetric(metric), [hypotheses[i]!], [references[i]!])[metric], value, `example ${i}`)
      }
    })
  }

  test(`${name}: NIST and BLEU, as the E2E scorer's mteval, which rounds to four digits`, () => {
    near(score('nist').nist, wanted.mteval.nist, 'nist', 5.1e-5)
    // They agree but where letters beyond ASCII have case, and where a corpus has no four words in a row.
    if (!['edges', 'short', 'strangers'].includes(name))
      near(score('bleuLowercase').bleuLowercase! / 100, wanted.mteval.bleu, 'bleu', 5.1e-5)
  })

  test(`${name}: METEOR by words and stems, as NLTK without WordNet`, () => {
    near(score('meteorExactStem').meteorExactStem, wanted.meteor, 'meteor')
  })

  test(`${name}: CIDEr and ROUGE-L, as the scorer of captions`, () => {
    assert.deepEqual(
      hypotheses.map((text) => captionWords(text).join(' ')),
      wanted.captions.words.hypotheses,
    )
    assert.deepEqual(
      references.map((texts) => texts.map((text) => captionWords(text).join(' '))),
      wanted.captions.words.references,
    )
    near(score('cider').cider, wanted.captions.cider, 'cider')
    near(score('captionRougeL').captionRougeL, wanted.captions.rougeL, 'captionRougeL')
  })

  test(`${name}: the words of mteval-v13a, as sacrebleu`, () => {
    assert.deepEqual(
      hypotheses.map((text) => mtevalWords(text).join(' ')),
      expected.tokens13a[name],
    )
  })
}

test('stems, as NLTK', () => {
  assert.deepEqual(
    inputs.words.split(' ').map((word) => `${word} ${porterStem(word)}`),
    inputs.words.split(' ').map((word, i) => `${word} ${expected.stems.split(' ')[i]}`),
  )
})

test('every metric has been compared', () => {
  assert.deepEqual(Object.keys(textMetrics).sort(), [
    'bleu',
    'bleuLowercase',
    'captionRougeL',
    'chrf',
    'cider',
    'meteorExactStem',
    'nist',
    'rouge',
    'ter',
  ])
})
