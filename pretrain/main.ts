/**
 * Pretrains adatune-tiny from random weights: gathers the corpus, learns a vocabulary, trains every weight by masked words, then by what
 * sentences think, and writes models/adatune-tiny. Each part is kept in runs/pretrain and not repeated; a run that was stopped goes on at
 * its last checkpoint. Another shape than the base's is trained beside it, on masked words alone, and not published.
 * Usage: npm run pretrain [-- --shape name] [--epochs n] [--threads n] [--steps n]
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { randomModel } from '../bench/training/random-model.ts'
import { textRows } from '../src/data/plain-text.ts'
import { permutation } from '../src/random/draws.ts'
import { keyOf } from '../src/random/key.ts'
import { language } from './language.ts'
import { lossDrawing } from './loss-drawing.ts'
import { colouredSentences, reviews } from './opinions.ts'
import { publish } from './publish.ts'
import { plainRows, questions } from './questions.ts'
import { length, shapes } from './shapes.ts'
import { tokenizerConfig, tokenizerFile, wordCounts } from './tokenizer-file.ts'
import { unigram } from './unigram.ts'

const root = resolve(import.meta.dirname, '..')
const work = join(root, 'runs/pretrain')
const published = join(root, 'models/adatune-tiny')
const { values } = parseArgs({
  options: { shape: { type: 'string' }, epochs: { type: 'string' }, steps: { type: 'string' }, threads: { type: 'string' } },
})
const [base] = Object.keys(shapes)
const shape = values.shape ?? base!
const config = shapes[shape as keyof typeof shapes]
if (config === undefined) throw new Error(`There is no shape "${shape}"; there are ${Object.keys(shapes).join(', ')}.`)
const ofShape = shape === base ? '' : `-${shape}`
const [corpus, heldOut] = [join(work, 'corpus.txt'), join(work, 'held-out.txt')]
const start = join(work, `random${ofShape}`)
/** The base as it is before it is asked for opinions, in half precision. */
const beforeOpinions = join(work, 'language')

/** Makes a file by writing it whole under another name. */
async function made(file: string, write: (part: string) => Promise<void> | void): Promise<void> {
  if (existsSync(file)) return
  console.log(`${new Date().toISOString()} ${file}`)
  await write(`${file}.part`)
  renameSync(`${file}.part`, file)
}

/** A hundredth of the texts scores the model, and is not trained on. */
const isHeldOut = (text: string): boolean => createHash('sha256').update(text).digest().readUInt16BE() < 655

async function writeTexts(file: string, held: boolean): Promise<void> {
  const stream = createWriteStream(file)
  for (const { name, texts } of language) {
    let characters = 0
    for await (const text of texts()) {
      if (text === '' || isHeldOut(text) !== held) continue
      characters += text.length
      if (!stream.write(`${text}\n`)) await once(stream, 'drain')
    }
    console.log(`  ${(characters / 1e6).toFixed(2)} MB  ${name}`)
  }
  stream.end()
  await once(stream, 'finish')
}

async function* linesOf(file: string): AsyncGenerator<string> {
  for await (const { values: row } of textRows(file)) yield row.get('text') as string
}

/** Trains every weight on a file of texts or token rows, going on where an earlier run was stopped; the folder of the trained weights. */
function trained(name: string, model: string, data: object, train: object): string {
  const settings = {
    model,
    task: 'masked-lm',
    method: { name: 'full' },
    data: { eval: heldOut, maxLength: length, ...data },
    train: {
      ...(values.steps ? { steps: Number(values.steps) } : { epochs: Number(values.epochs ?? 1) }),
      warmupRatio: 0.05,
      weightDecay: 0.01,
      decay: 'weights',
      dropout: 0,
      checkpointEvery: 100,
      ...train,
      ...(values.threads && { threads: Number(values.threads) }),
    },
  }
  const [file, out] = [join(work, `${name}.json`), join(work, name)]
  writeFileSync(file, JSON.stringify(settings, null, 2))
  const going = existsSync(join(out, 'config.json')) ? ['--resume', out] : [file, '--out', out]
  const { status } = spawnSync(process.execPath, [join(root, 'bin/adatune.js'), 'train', ...going], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  return join(out, 'adapter')
}

/** Sentences that are coloured by opinions, and rows of plain text among them, so that little of the language is forgotten. */
const [COLOURED, PLAIN] = [60_000, 16_000]

/** Rows that ask what texts think, with rows of plain texts among them, in random order. */
async function writeQuestions(file: string): Promise<void> {
  const opinions = [...(await reviews()), ...(await colouredSentences(linesOf(corpus), COLOURED))]
  const rows = [...questions(start, opinions), ...(await plainRows(start, linesOf(corpus), PLAIN))]
  const lines = [...permutation(rows.length, keyOf('rows'))].map((i) => `${JSON.stringify(rows[i])}\n`)
  writeFileSync(file, lines.join(''))
}

/** The losses of the shapes that were trained, beside the published model. */
function drawn(): void {
  const records = Object.keys(shapes)
    .map((name) => [name, join(work, name === base ? 'run' : `run-${name}`, 'run.jsonl')] as const)
    .filter(([, record]) => existsSync(record))
  const files = records.map(([name, record]) => [name, readFileSync(record, 'utf8')] as const)
  writeFileSync(join(published, 'loss.svg'), lossDrawing(Object.fromEntries(files)))
}

mkdirSync(work, { recursive: true })
await made(heldOut, (file) => writeTexts(file, true))
await made(corpus, (file) => writeTexts(file, false))
randomModel(start, config, 'masked-lm', 'adatune-tiny')
await made(join(start, 'tokenizer.json'), async (file) =>
  writeFileSync(file, JSON.stringify(tokenizerFile(await wordCounts(linesOf(corpus)), config.vocab_size))),
)
writeFileSync(join(start, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig(length), null, 2))
const words = { train: corpus, texts: { packed: true } }
const read = trained(`run${ofShape}`, start, words, { batchSize: 16, learningRate: 1e-3, evalEvery: 500 })
const { accuracy, perplexity } = await unigram(start, corpus, heldOut, config.vocab_size)
console.log(`by frequency alone: accuracy ${(100 * accuracy).toFixed(1)}, perplexity ${perplexity.toFixed(0)}`)
if (shape === base) {
  publish(read, beforeOpinions)
  const rows = join(work, 'questions.jsonl')
  await made(rows, writeQuestions)
  publish(trained('opinions', beforeOpinions, { train: rows }, { batchSize: 32, learningRate: 3e-4, evalEvery: 'end' }), published)
  console.log(`written: ${published}`)
}
drawn()
