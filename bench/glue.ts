/**
 * Every method on GLUE tasks with a small encoder: dev metrics, weights, speed and memory from real runs.
 * Reads models and data below ADATUNE_ASSETS; results are appended to bench/results/glue.json as runs finish, and a finished run is
 * not repeated. Usage: npm run bench -- glue [task ...] [--method name ...] [--seed n ...] [--epochs n] [--rate n] [--warmup share]
 * [--base int8|int4] [--threads n]; runs with a base in fewer bits are compared with those of the same seed that have it in float32.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readRows } from '../src/data/read-rows.ts'
import { grouped } from '../src/grouped.ts'
import { deviation, mean } from '../src/metrics/moments.ts'
import { markdownTable } from '../src/track/markdown-table.ts'
import { shuffledBy, writtenRows } from './training/chosen-rows.ts'
import { assetsFolder, readResults, root, type TrainedRun, trainedRun, writeResults } from './training/trained-run.ts'

const linears = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense']
const methods: Record<string, { method: Record<string, unknown>; learningRate: number }> = {
  lora: { method: { name: 'lora', r: 8, alpha: 16, targets: linears }, learningRate: 1e-3 },
  head: { method: { name: 'head' }, learningRate: 1e-3 },
  bitfit: { method: { name: 'bitfit' }, learningRate: 1e-3 },
  adalora: {
    method: {
      name: 'adalora',
      initR: 12,
      targetR: 8,
      alpha: 16,
      tInit: 0.15,
      tFinal: 0.4,
      deltaT: 5,
      orthogonality: 0.1,
      targets: linears,
    },
    learningRate: 1e-3,
  },
  bottleneck: { method: { name: 'bottleneck', variant: 'pfeiffer', size: 16 }, learningRate: 1e-3 },
  'adamix-bottleneck': { method: { name: 'adamix', of: { name: 'bottleneck', size: 16 } }, learningRate: 1e-3 },
  'adamix-lora': { method: { name: 'adamix', of: { name: 'lora', r: 8, alpha: 16, targets: linears } }, learningRate: 1e-3 },
  full: { method: { name: 'full' }, learningRate: 1e-4 },
}
interface Task {
  readonly metric: string
  readonly epochs: number
  readonly kind?: string
  readonly batchSize?: number
  readonly groupByLength?: boolean
  /** Training rows: the first in the order of a hash of their number; all where it is left out. */
  readonly rows?: number
}
const tasks: Record<string, Task> = {
  'glue-mrpc': { metric: 'accuracy', epochs: 3 },
  'glue-cola': { metric: 'matthews', epochs: 3 },
  'glue-rte': { metric: 'accuracy', epochs: 3 },
  'glue-stsb': { metric: 'pearson', epochs: 3, kind: 'regression', batchSize: 16, groupByLength: true },
  'glue-sst2': { metric: 'accuracy', epochs: 1, batchSize: 16, rows: 5000 },
}

const preface = `# GLUE with all-MiniLM-L6-v2

Made by \`npm run bench -- glue\`; settings and machine are in glue.json. Dev metrics in percent at the best evaluation (one an epoch, by
the task's metric), beside it that metric after the last one. Weights without head: trained, and left at the end (experts averaged, ranks
pruned). One seed says little: differences of a point are noise. The machine had two cores and other work to do: compare CPU seconds
rather than tokens/s. AdaMix makes two passes a batch, which its tokens count.
Three epochs of MRPC are 345 updates, a tenth of what AdaLoRA's paper gives it: at the rate of the others it stays at the majority class, at
four times it not, as its increment is a product of three factors that start small.
SST-2 is trained on 5,000 of its 67,349 rows; it and STS-B in batches of 16.
STS-B starts on a plateau, the variance of the labels. Its run of one epoch and those at 0.003 have their rows in random order, and stay there;
so did LoRA at 0.001 over three epochs (Pearson correlation 16), and HF PEFT as far as it was followed (9 after 180 updates). The others have
rows of like length in a batch; HF PEFT, grouped, ends at 81. At 0.001 it is chance which runs of LoRA leave the plateau: all three with
matrices in float32 and one of three in int8; where the rate rises first, neither of two and one of two. At 0.0003 every run leaves it.
`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    method: { type: 'string', multiple: true },
    seed: { type: 'string', multiple: true },
    epochs: { type: 'string' },
    rate: { type: 'string' },
    warmup: { type: 'string' },
    base: { type: 'string', default: 'float32' },
    threads: { type: 'string' },
  },
})
const assets = assetsFolder('models/all-MiniLM-L6-v2 and data/glue-*')
const file = join(root, 'bench/results/glue.json')
const work = join(root, 'runs/bench-glue')

interface Result extends TrainedRun {
  readonly task: string
  readonly method: string
  readonly seed: number
  readonly epochs: number
  /** Left out where it is float32. */
  readonly base?: string
  readonly settings: {
    readonly learningRate: number
    readonly warmupRatio?: number
    readonly method: unknown
    readonly rows?: number
  }
}

const results = readResults<Result>(file)

interface Pair {
  readonly exact: Result
  readonly lossy: Result
}

const scoreOf = ({ task, best }: Result): number => 100 * best[tasks[task]!.metric]!

/** The learning rate, and over which share of the updates it rises where it does. */
const rateOf = ({ settings: { learningRate, warmupRatio } }: Result): string =>
  `${learningRate}${warmupRatio === undefined ? '' : `, rising over ${warmupRatio}`}`

/** A row of what runs with a base in fewer bits score beside those with float32, over seeds. */
function differenceRow(pairs: readonly Pair[]): string[] {
  const { lossy } = pairs[0]!
  const { task, method, base } = lossy
  const told = (score: (pair: Pair) => number): string => {
    const scores = pairs.map(score)
    return `${mean(scores).toFixed(1)}${scores.length > 1 ? ` ± ${deviation(scores).toFixed(1)}` : ''}`
  }
  return [
    ...[task.replace('glue-', ''), method, rateOf(lossy), tasks[task]!.metric, base!, String(pairs.length)],
    told(({ exact }) => scoreOf(exact)),
    told(({ lossy }) => scoreOf(lossy)),
    told(({ exact, lossy }) => scoreOf(lossy) - scoreOf(exact)),
  ]
}

/** Runs whose base is kept in fewer bits beside those with float32 that share task, method, epochs, rate and seed. */
function baseDifferences(): string {
  const settingsOf = (result: Result): string => [result.task, result.method, result.epochs, rateOf(result)].join()
  const all = Object.values(results)
  const pairs = all.flatMap((lossy): Pair[] => {
    const alike = (each: Result): boolean => settingsOf(each) === settingsOf(lossy) && each.seed === lossy.seed
    const exact = lossy.base === undefined ? undefined : all.find((each) => each.base === undefined && alike(each))
    return exact ? [{ exact, lossy }] : []
  })
  if (pairs.length === 0) return ''
  const groups = grouped(pairs, ({ lossy }) => `${settingsOf(lossy)},${lossy.base}`)
  const columns = ['task', 'method', 'rate', 'metric', 'base', 'seeds', 'float32', 'in fewer bits', 'difference']
  return `
The same runs with the base's matrices in fewer bits, by seed: means and deviations, and those of the differences of a seed's two runs.

${markdownTable(columns, [...groups.values()].map(differenceRow))}
`
}

function save(): void {
  const points = (value: number | undefined): string => (value === undefined ? '' : (value * 100).toFixed(1))
  const rows = Object.values(results).map((result) => {
    const { task, method, seed, epochs, base = 'float32', best, last, tokensPerSecond } = result
    return [
      ...[task.replace('glue-', ''), method, base, seed, epochs, rateOf(result)],
      ...[best.accuracy, best.f1, best.matthews, best.pearson, best.spearman, last[tasks[task]!.metric]].map(points),
      ...[best.trained, best.merged, best.head, tokensPerSecond, Math.round(best.cpuSeconds!), Math.round(best.peakMemoryBytes! / 1e6)],
    ]
  })
  const columns =
    'task | method | base | seed | epochs | rate | accuracy | F1 | Matthews | Pearson | Spearman | last | trained | at the end | head | tokens/s | CPU s | peak MB'
  writeResults(file, results, `${preface}${baseDifferences()}`, columns, rows)
}

save()

/** The file of a task's training rows. */
async function trainingRows(task: string, count: number | undefined): Promise<string> {
  const all = join(assets, 'data', task, 'train.jsonl.gz')
  if (count === undefined) return all
  const rows = shuffledBy(await readRows(all), ({ values: row }) => row.get('idx'))
  return writtenRows(work, task, rows.slice(0, count)).path
}

const inFloat32 = values.base === 'float32'
for (const task of positionals.length > 0 ? positionals : Object.keys(tasks)) {
  const { metric, epochs: usual, kind = 'sequence-classification', batchSize = 32, groupByLength = false, rows } = tasks[task]!
  const epochs = Number(values.epochs ?? usual)
  const data = { train: await trainingRows(task, rows), eval: join(assets, 'data', task, 'dev.jsonl.gz') }
  for (const name of values.method ?? Object.keys(methods)) {
    for (const seed of (values.seed ?? ['1']).map(Number)) {
      const learningRate = Number(values.rate ?? methods[name]!.learningRate)
      const key = `${task} ${name} seed ${seed} epochs ${epochs}${values.rate ? ` rate ${learningRate}` : ''}${values.warmup ? ` warmup ${values.warmup}` : ''}${inFloat32 ? '' : ` base ${values.base}`}`
      if (results[key]) continue
      const { method } = methods[name]!
      const settings = {
        model: join(assets, 'models/all-MiniLM-L6-v2'),
        task: kind,
        method,
        base: values.base,
        data,
        train: {
          ...{ batchSize, epochs, learningRate, seed, groupByLength, keepBest: metric },
          ...(values.warmup && { warmupRatio: Number(values.warmup) }),
          ...{ checkpointEvery: 200, threads: Number(values.threads ?? 2) },
        },
      }
      const run = trainedRun(work, key, settings)
      results[key] = {
        task,
        method: name,
        seed,
        epochs,
        ...(!inFloat32 && { base: values.base }),
        settings: { ...settings.train, method, ...(rows && { rows }) },
        ...run,
      }
      save()
    }
  }
}
