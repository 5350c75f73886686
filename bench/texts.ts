/**
 * A small model that writes texts, tuned by several methods: BLEU or ROUGE of what it writes before and after. Reads models and data below
 * ADATUNE_ASSETS; results are written to bench/results/texts.json as runs finish, and a finished run is not repeated.
 * Usage: npm run bench -- texts [webnlg | e2e | dart | xsum | cnn-dailymail | e2e-gpt2 ...] [--method name ...] [--seed n ...]
 *   [--rows n] [--scored n] [--epochs n | --steps n] [--beams n] [--rate n] [--batch n] [--threads n]
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Row } from '../src/data/read-rows.ts'
import { askedTexts } from '../src/generate/asked-texts.ts'
import { openGenerator } from '../src/generate/generator.ts'
import { textMetric, textScores } from '../src/metrics/text/index.ts'
import { circumstances } from './report/circumstances.ts'
import { writtenRows } from './training/chosen-rows.ts'
import { modelOf, rowsOf, type Subject, subjects } from './training/text-subjects.ts'
import { assetsFolder, readResults, root, runFolder, type TrainedRun, trainedRun, writeResults } from './training/trained-run.ts'

const maps = ['query', 'key', 'value', 'attention-output', 'up', 'down']
const lora = { name: 'lora', r: 8, alpha: 16, targets: maps }
const adalora = {
  name: 'adalora',
  initR: 12,
  targetR: 8,
  alpha: 16,
  tInit: 0.1,
  tFinal: 0.5,
  deltaT: 10,
  orthogonality: 0.1,
  targets: maps,
}
/** `before` is the model as it is. */
const methods: Readonly<Record<string, object | null>> = { before: null, lora, adalora, adamix: { name: 'adamix', of: lora } }

const preface = `# Texts that a model writes

Made by \`npm run bench -- texts\`; settings and machine are in texts.json. The model has the shape of flan-t5-small; it was tuned to write
titles and came through int8, so that its figures before training are no flan-t5's. \`scored\` counts texts, each compared with all its
references; training rows have the first of theirs. Texts are written greedily where beams are 1, up to \`tokens\` tokens; sacrebleu's BLEU,
rouge-score's ROUGE. Where there is no training file, rows of the evaluation file are trained on (DART), or others of the same file than
are scored (XSum, CNN/DailyMail). LoRA has rank 8 on all linear maps, AdaLoRA goes from 12 to 8, AdaMix has four experts of that LoRA. One
seed says little, and the machine had other work: compare CPU seconds, those of training alone, rather than tokens/s.
The GPT-2 has random weights and ${subjects['e2e-gpt2']!.usual.steps} updates: it shows that the path holds, not what it writes.
`

const many = { type: 'string', multiple: true } as const
const one = { type: 'string' } as const
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ method: many, seed: many, rows: one, scored: one, epochs: one, steps: one },
    ...{ beams: one, rate: one, batch: one, threads: one },
  },
})
const assets = assetsFolder('models/flan-t5-small-titler, models/tokenizers/gpt2 and the data sets')
const file = join(root, 'bench/results/texts.json')
const work = join(root, 'runs/bench-texts')
const threads = Number(values.threads ?? 2)

interface Result extends Partial<TrainedRun> {
  readonly task: string
  readonly model: string
  readonly method: string
  readonly seed: number
  /** Training rows; 0 before training. */
  readonly rows: number
  readonly scored: number
  readonly writing: { readonly beams: number; readonly maxNewTokens: number; readonly seconds: number }
  readonly scores: Readonly<Record<string, number>>
  readonly settings?: object
}
const results = readResults<Result>(file)

function save(): void {
  const rows = Object.values(results).map(({ task, model, method, seed, rows, scored, writing, scores, best, tokensPerSecond }) => [
    ...[task, model, method, seed, rows, best?.steps ?? 0, scored, writing.beams, writing.maxNewTokens],
    ...[scores.bleu?.toFixed(2), ...['rouge1', 'rouge2', 'rougeL'].map((name) => (name in scores ? (100 * scores[name]!).toFixed(2) : ''))],
    ...[best?.trained, best?.merged, tokensPerSecond],
    ...[best && Math.round(best.cpuSeconds!), best && Math.round(best.peakMemoryBytes! / 1e6)],
  ])
  const columns =
    'task | model | method | seed | rows | updates | scored | beams | tokens | BLEU | ROUGE-1 | ROUGE-2 | ROUGE-L | trained | at the end | tokens/s | CPU s | peak MB'
  writeResults(
    file,
    results,
    preface,
    columns,
    rows.map((row) => row.map((cell) => cell ?? '')),
  )
}

save()

/** What a model writes for rows, by the metric of their subject. */
async function scoresOf(
  { columns, metric, targetLength, prefix, maxLength, kind }: Subject,
  rows: readonly Row[],
  { model, adapter, beams }: { readonly model: string; readonly adapter: string | null; readonly beams: number },
): Promise<Pick<Result, 'scored' | 'writing' | 'scores'>> {
  const began = performance.now()
  const generator = await openGenerator({ model, adapter, task: kind, columns, texts: { prefix }, maxLength, threads })
  const asked = askedTexts(rows, columns, true)
  const questions = asked.map(({ row }) => row)
  const written = await generator.generate(questions, { beams, maxNewTokens: targetLength })
  await generator.close()
  const texts = written.map(({ text }) => text)
  const references = asked.map(({ references }) => references)
  const seconds = Math.round((performance.now() - began) / 1000)
  return {
    scored: asked.length,
    writing: { beams, maxNewTokens: targetLength, seconds },
    scores: textScores(textMetric(metric), texts, references),
  }
}

for (const task of positionals.length > 0 ? positionals : Object.keys(subjects)) {
  const subject = subjects[task]
  if (!subject) throw new Error(`known are ${Object.keys(subjects).join(', ')}`)
  const { usual, columns, maxLength, targetLength, prefix } = subject
  const counts = { rows: Number(values.rows ?? usual.rows), scored: Number(values.scored ?? usual.scored) }
  const rows = await rowsOf(subject, assets, counts)
  const model = modelOf(subject, assets, work)
  const beams = Number(values.beams ?? 1)
  const steps = values.steps ?? (values.epochs === undefined ? usual.steps : undefined)
  const length = steps === undefined ? { epochs: Number(values.epochs ?? usual.epochs) } : { steps: Number(steps) }
  const batchSize = Number(values.batch ?? usual.batch)
  const learningRate = Number(values.rate ?? 1e-3)
  const train = writtenRows(work, `${task}-train`, rows.train)
  for (const name of ['before', ...(values.method ?? subject.methods)]) {
    const method = methods[name]!
    for (const seed of method === null ? [0] : (values.seed ?? ['1']).map(Number)) {
      const took = Object.entries(length).flat().join(' ')
      const run = `${task} ${name} seed ${seed} rows ${train.count} ${took} rate ${learningRate} batch ${batchSize}`
      const key = `${method === null ? `${task} ${name}` : run} scored ${counts.scored} beams ${beams}`
      if (results[key]) continue
      const told = { task, model: subject.model, method: name, seed }
      if (method === null) {
        const found = circumstances()
        results[key] = { ...told, rows: 0, ...(await scoresOf(subject, rows.scored, { model, adapter: null, beams })), ...found }
      } else {
        const settings = {
          model,
          task: subject.kind,
          method,
          data: { train: train.path, columns, maxLength, texts: { prefix, targetLength } },
          train: { batchSize, ...length, learningRate, seed, checkpointEvery: 50, threads },
        }
        const trained = trainedRun(work, run, settings)
        const scored = await scoresOf(subject, rows.scored, { model, adapter: join(runFolder(work, run), 'adapter'), beams })
        results[key] = { ...told, rows: train.count, settings: { ...settings.train, method }, ...trained, ...scored }
      }
      save()
    }
  }
}
