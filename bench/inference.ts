/**
 * Answers to the rows of a GLUE file, from texts to probabilities: with an adapter as `predict` has it, with the adapter beside the weights,
 * merged before, and that in 8 bits; and by transformers, on the merged model, where ADATUNE_PEER_PYTHON names a Python that has it. Each
 * round starts a process for each side, and these pass over all rows in turns. Results go to bench/results/inference.json.
 * Usage: npm run bench -- inference [--rows n] [--rounds n] [--passes n] [--warmup n] [--batch n]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readRows } from '../src/data/read-rows.ts'
import { answerPasses } from './inference/own-side.ts'
import type { Asked, Passed } from './inference/sides.ts'
import { circumstances } from './report/circumstances.ts'
import { median, rounded, spread, spreadText } from './steps/numbers.ts'
import { openSide } from './steps/sides.ts'
import { assetsFolder, root, runFolder, trainedRun, writeResults } from './training/trained-run.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    passes: { type: 'string', default: '3' },
    warmup: { type: 'string', default: '1' },
    batch: { type: 'string', default: '64' },
    /** A side of ours, in this process. */
    alone: { type: 'string' },
  },
})
const given = (name: 'rows' | 'rounds' | 'passes' | 'warmup' | 'batch'): number => Number(values[name])
const [count, rounds, passes, warmup, batchSize] = [
  given('rows'),
  given('rounds'),
  given('passes'),
  given('warmup'),
  given('batch'),
] as const
if (values.alone !== undefined) {
  await answerPasses(JSON.parse(readFileSync(values.alone, 'utf8')))
  process.exit(0)
}
const assets = assetsFolder('models/all-MiniLM-L6-v2 and data/glue-rte')
const python = process.env.ADATUNE_PEER_PYTHON ?? null
const work = join(root, 'runs/bench-inference')
const resultsFile = join(root, 'bench/results/inference.json')
const model = join(assets, 'models/all-MiniLM-L6-v2')
const data = join(assets, 'data/glue-rte/train.jsonl.gz')
const maxLength = 128

// Any adapter does; the head comes with it.
const settings = {
  ...{ model, task: 'glue/rte', method: { name: 'lora', r: 8, targets: 'all-linear' } },
  ...{ data: { train: data, rows: { train: 64 }, maxLength }, train: { steps: 4, batchSize: 16, learningRate: 0.001 } },
}
trainedRun(work, 'adapter', settings)
const adapter = join(runFolder(work, 'adapter'), 'adapter')
const merged = join(work, 'merged')
if (!existsSync(merged)) {
  const args = ['merge', '--model', model, '--adapter', adapter, '--out', merged]
  const { status } = spawnSync(process.execPath, [join(root, 'bin/adatune.js'), ...args], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`adatune ${args.join(' ')} ended with ${status}`)
}
const rows = join(work, 'rows.jsonl')
const texts = (await readRows(data)).slice(0, count).map(({ values }) => Object.fromEntries(values))
writeFileSync(rows, texts.map(({ sentence1, sentence2 }) => `${JSON.stringify({ sentence1, sentence2 })}\n`).join(''))

const usual: Asked = { model: merged, adapter: null, base: 'float32', merges: true, rows, batchSize, maxLength, sorted: true }
const asked: Readonly<Record<string, Asked>> = {
  'with an adapter': { ...usual, model, adapter },
  'with the adapter beside the weights': { ...usual, model, adapter, merges: false },
  'merged before': usual,
  'merged before, in 8 bits': { ...usual, base: 'int8' },
  ...(python !== null && { 'transformers, in order': { ...usual, sorted: false }, 'transformers, sorted by length': usual }),
}
const isPeer = (name: string): boolean => name.startsWith('transformers')
const own = [`--import=${import.meta.resolve('tsx')}`, import.meta.filename, '--alone']
const open = (name: string) => {
  const file = join(work, `${name.replaceAll(/\W+/g, '-')}.json`)
  writeFileSync(file, JSON.stringify(asked[name]))
  return isPeer(name) ? openSide(python!, [join(root, 'bench/peer/inference.py'), file]) : openSide(process.execPath, [...own, file])
}

interface Round {
  readonly load: number
  readonly rowsPerSecond: number
  readonly cpuSeconds: number
  /** Of the first pass, in which an adapter is put into the weights. */
  readonly firstCpuSeconds: number
  readonly peakMB: number
}
const began = circumstances()
const names = Object.keys(asked)
const found = new Map<string, Round[]>(names.map((name) => [name, []]))
const scores = new Map<string, readonly number[]>()
let versions: Readonly<Record<string, string>> = {}
for (let round = 0; round < rounds; round++) {
  const load = rounded(loadavg()[0]!, 2)
  const sides = await Promise.all(names.map(open))
  versions = Object.assign({}, ...sides.map((side) => side.versions))
  const passed = names.map((): Passed[] => [])
  for (let pass = 0; pass < warmup + passes; pass++)
    for (const [i, side] of sides.entries()) passed[i]!.push(await side.ask<Passed>('step'))
  for (const side of sides) await side.end()
  for (const [i, name] of names.entries()) {
    const measured = passed[i]!.slice(warmup)
    const [ms, cpuMs] = [median(measured.map((pass) => pass.ms)), median(measured.map((pass) => pass.cpuMs))]
    found.get(name)!.push({
      load,
      rowsPerSecond: rounded((1e3 * texts.length) / ms, 1),
      cpuSeconds: rounded(cpuMs / 1e3),
      firstCpuSeconds: rounded(passed[i]![0]!.cpuMs / 1e3),
      peakMB: Math.round(measured.at(-1)!.peakBytes / 1e6),
    })
    scores.set(name, measured[0]!.scores)
  }
  console.log(
    `round ${round + 1}, load ${load}: ${names.map((name) => `${name} ${found.get(name)!.at(-1)!.rowsPerSecond} rows/s`).join(', ')}`,
  )
}

const beside = python === null ? 'with an adapter' : 'transformers, sorted by length'
const off = (name: string): number => Math.max(...scores.get(name)!.map((score, i) => Math.abs(score - scores.get(beside)![i]!)))
const results = Object.fromEntries(
  names.map((name) => {
    const all = found.get(name)!
    const ratio = spread(all.map(({ rowsPerSecond }, i) => rowsPerSecond / found.get(beside)![i]!.rowsPerSecond))
    return [name, { rounds: all, rowsPerSecond: spread(all.map(({ rowsPerSecond }) => rowsPerSecond)), ratio, mostOff: off(name) }]
  }),
)
rmSync(rows)
const preface = `# Answers to rows

Made by \`npm run bench -- inference\`: ${texts.length} rows of RTE, batches of ${batchSize}, all-MiniLM-L6-v2 with LoRA of rank 8 on all linear maps, from texts
to probabilities. Medians of ${rounds} rounds, smallest and largest in brackets, in turns with each other; \`off\` is the largest difference of a
probability from ${beside}. Settings, machine and loads are in inference.json.
`
writeResults(
  resultsFile,
  { rows: texts.length, batchSize, maxLength, ...began, versions, results },
  preface,
  `answers | rows a second | over ${beside} | CPU s a pass | of the first | peak MB | off`,
  Object.entries(results).map(([name, { rounds: all, rowsPerSecond, ratio, mostOff }]) => [
    name,
    spreadText(rowsPerSecond),
    spreadText(ratio),
    median(all.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    median(all.map(({ firstCpuSeconds }) => firstCpuSeconds)).toFixed(2),
    Math.max(...all.map(({ peakMB }) => peakMB)),
    mostOff.toExponential(1),
  ]),
)
