/**
 * Pretrains adatune-tiny from random weights: gathers the corpus, learns a vocabulary, trains every weight by masked words, and writes
 * models/adatune-tiny. Each part is kept in runs/pretrain and not repeated; a run that was stopped goes on at its last checkpoint.
 * Another shape than the base's is trained beside it and not published.
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
import { lossDrawing } from './loss-drawing.ts'
import { publish } from './publish.ts'
import { length, shapes } from './shapes.ts'
import { sources } from './sources.ts'
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
const [start, out] = [join(work, `random${ofShape}`), join(work, `run${ofShape}`)]

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
  for (const { name, texts } of sources) {
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

function trained(): void {
  const settings = {
    model: start,
    task: 'masked-lm',
    method: { name: 'full' },
    data: { train: corpus, eval: heldOut, maxLength: length, texts: { packed: true } },
    train: {
      batchSize: 16,
      ...(values.steps ? { steps: Number(values.steps) } : { epochs: Number(values.epochs ?? 1) }),
      learningRate: 1e-3,
      warmupRatio: 0.05,
      weightDecay: 0.01,
      decay: 'weights',
      dropout: 0,
      evalEvery: 500,
      checkpointEvery: 100,
      ...(values.threads && { threads: Number(values.threads) }),
    },
  }
  const file = join(work, `run${ofShape}.json`)
  writeFileSync(file, JSON.stringify(settings, null, 2))
  const going = existsSync(join(out, 'config.json')) ? ['--resume', out] : [file, '--out', out]
  const { status } = spawnSync(process.execPath, [join(root, 'bin/adatune.js'), 'train', ...going], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
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
trained()
const { accuracy, perplexity } = await unigram(start, corpus, heldOut, config.vocab_size)
console.log(`by frequency alone: accuracy ${(100 * accuracy).toFixed(1)}, perplexity ${perplexity.toFixed(0)}`)
if (shape === base) {
  publish(join(out, 'adapter'), published)
  console.log(`written: ${published}`)
}
drawn()
