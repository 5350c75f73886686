/**
 * Methods on SQuAD with a small encoder at two budgets: EM and F1 from real runs. Reads models and data below ADATUNE_ASSETS; results are
 * written to bench/results/squad.json as runs finish, and a finished run is not repeated.
 * Usage: npm run bench -- squad [v1 | v2 ...] [--method name ...] [--budget n ...] [--seed n ...] [--epochs n | --steps n]
 *   [--rows n] [--eval-rows n] [--rate n] [--batch n] [--threads n]
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Row, readRows } from '../src/data/read-rows.ts'
import { shuffledBy, writtenRows } from './training/chosen-rows.ts'
import { assetsFolder, readResults, root, type TrainedRun, trainedRun, writeResults } from './training/trained-run.ts'

const linears = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense']
const methods: Readonly<Record<string, object>> = {
  houlsby: { name: 'bottleneck', variant: 'houlsby' },
  pfeiffer: { name: 'bottleneck', variant: 'pfeiffer' },
  lora: { name: 'lora', alpha: 16, targets: linears },
  adalora: { name: 'adalora', alpha: 16, tInit: 0.1, tFinal: 0.5, deltaT: 10, orthogonality: 0.1, targets: linears },
}
/** LoRA of rank 2 and 8 on all linear maps of the model. */
const budgets = [82944, 331776]

/** Train and evaluation rows; the parts of SQuAD v2 are split by a hash of the article's title, a fifth for evaluation. */
const isHeldOut = ({ values }: Row): boolean =>
  createHash('sha256')
    .update(String(values.get('title')))
    .digest()[0]! < 51
const parts: Readonly<Record<string, (assets: string) => Promise<readonly [readonly Row[], readonly Row[]]>>> = {
  v1: async (assets) => [
    await readRows(join(assets, 'data/squad-v1/train_from_dev.jsonl.gz')),
    await readRows(join(assets, 'data/squad-v1/xquad_en.jsonl.gz')),
  ],
  v2: async (assets) => {
    const rows = await readRows(join(assets, 'data/squad-v2/dev_half.jsonl.gz'))
    return [rows.filter((row) => !isHeldOut(row)), rows.filter(isHeldOut)]
  },
}

const preface = `# SQuAD with all-MiniLM-L6-v2

Made by \`npm run bench -- squad\`; settings and machine are in squad.json. v1: the questions of half the official dev set whose
paragraphs are not in XQuAD, scored on XQuAD's English ones. v2: that half of the dev set, split by title, four fifths to train on. EM
and F1 in percent at the best evaluation (one an epoch, by F1, for v2 by F1 at the threshold that is best on the same rows).
Trained on a fortieth of SQuAD, from a model of sentence embeddings: to compare methods by, not with published figures. It takes
some two hundred updates until answers are found at all, on 1,000 rows once none of two rates comes there; rates were not tuned, AdaLoRA's is
four times the others' as its increment is a product of three factors that start small. Half of v2's questions have no answer, and
one pass over 600 rows teaches to give none: its figures say that the path holds, not which method is better. Weights without head. Batches
count windows. One seed says little, and the machine had other work: compare CPU seconds rather than tokens/s.
`

const many = { type: 'string', multiple: true } as const
const one = { type: 'string' } as const
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ method: many, budget: many, seed: many },
    ...{ epochs: one, steps: one, rows: one, 'eval-rows': one, rate: one, batch: one, threads: one },
  },
})
const assets = assetsFolder('models/all-MiniLM-L6-v2, data/squad-v1 and data/squad-v2')
const file = join(root, 'bench/results/squad.json')
const work = join(root, 'runs/bench-squad')

interface Result extends TrainedRun {
  readonly part: string
  readonly method: string
  readonly budget: number
  readonly seed: number
  readonly rows: number
  readonly evalRows: number
  readonly settings: { readonly epochs?: number; readonly steps?: number; readonly learningRate: number; readonly method: unknown }
}
const results = readResults<Result>(file)

function save(): void {
  const rows = Object.values(results).map(({ part, method, budget, seed, rows, evalRows, settings, best, last, tokensPerSecond }) => {
    const points = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(1))
    return [
      ...[part, method, budget, seed, rows, evalRows, settings.epochs ?? `${settings.steps} steps`, settings.learningRate],
      ...[best.exact, best.f1, best.HasAns_f1, best.NoAns_f1, best.best_exact, best.best_f1, last.f1].map(points),
      ...[best.trained, best.merged, tokensPerSecond, Math.round(best.cpuSeconds!), Math.round(best.peakMemoryBytes! / 1e6)],
    ]
  })
  const columns =
    'part | method | budget | seed | rows | scored | epochs | rate | EM | F1 | F1 with answer | without | best EM | best F1 | last F1 | trained | at the end | tokens/s | CPU s | peak MB'
  writeResults(file, results, preface, columns, rows)
}

save()

/** The first rows in the order of their ids' hashes, or all in their own. */
const chosen = (rows: readonly Row[], count: string | undefined): readonly Row[] =>
  count === undefined ? rows : shuffledBy(rows, ({ values: row }) => row.get('id')).slice(0, Number(count))

for (const part of positionals.length > 0 ? positionals : Object.keys(parts)) {
  const [trainRows, evalRows] = await parts[part]!(assets)
  const train = writtenRows(work, `${part}-train`, chosen(trainRows, values.rows))
  const scored = writtenRows(work, `${part}-eval`, chosen(evalRows, values['eval-rows']))
  const length = values.steps ? { steps: Number(values.steps) } : { epochs: Number(values.epochs ?? 3) }
  for (const budget of (values.budget ?? budgets).map(Number)) {
    for (const method of values.method ?? Object.keys(methods)) {
      for (const seed of (values.seed ?? ['1']).map(Number)) {
        const learningRate = Number(values.rate ?? 1e-3)
        const batchSize = Number(values.batch ?? 16)
        const took = Object.entries(length).flat().join(' ')
        const key = `${part} ${method} ${budget} seed ${seed} rows ${train.count} ${scored.count} ${took} rate ${learningRate} batch ${batchSize}`
        if (results[key]) continue
        const settings = {
          model: join(assets, 'models/all-MiniLM-L6-v2'),
          task: 'question-answering',
          method: { ...methods[method]!, budget },
          data: { train: train.path, eval: scored.path },
          train: {
            batchSize,
            ...length,
            learningRate,
            seed,
            keepBest: part === 'v2' ? 'best_f1' : 'f1',
            evalBatchSize: 16,
            groupByLength: true,
            checkpointEvery: 50,
            threads: Number(values.threads ?? 2),
          },
        }
        const run = trainedRun(work, key, settings)
        const told = { part, method, budget, seed, rows: train.count, evalRows: scored.count }
        results[key] = { ...told, settings: { ...settings.train, method: settings.method }, ...run }
        save()
      }
    }
  }
}
