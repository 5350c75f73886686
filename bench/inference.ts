/**
 * Answers to the rows of a GLUE file, from texts to probabilities: with an adapter as `predict` has it, with the adapter beside the weights,
 * merged before, and that in 8 bits; and by transformers, on the merged model, where ADATUNE_PEER_PYTHON names a Python that has it. Each
 * round starts a process for each side, and these pass over all rows in turns. Results go to bench/results/inference.json as rounds finish,
 * and finished rounds are not repeated.
 * Usage: npm run bench -- inference [--rows n] [--rounds n] [--passes n] [--warmup n] [--batch n]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readRows } from '../src/data/read-rows.ts'
import { answerPasses } from './inference/own-side.ts'
import { type AnswersResult, type AnswersRound, inferenceTold } from './inference/report.ts'
import type { Asked, Passed } from './inference/sides.ts'
import { circumstances, processorOf } from './report/circumstances.ts'
import { keepResults, resultsFile } from './report/told.ts'
import { median, rounded } from './steps/numbers.ts'
import { openSide } from './steps/sides.ts'
import { assetsFolder, readResults, root, runFolder, trainedRun } from './training/trained-run.ts'

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
const [count, rounds, batchSize] = [Number(values.rows), Number(values.rounds), Number(values.batch)]
const [passes, warmup] = [Number(values.passes), Number(values.warmup)]
if (values.alone !== undefined) {
  await answerPasses(JSON.parse(readFileSync(values.alone, 'utf8')))
  process.exit(0)
}
const assets = assetsFolder('models/all-MiniLM-L6-v2 and data/glue-rte')
const python = process.env.ADATUNE_PEER_PYTHON ?? null
const work = join(root, 'runs/bench-inference')
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

const names = Object.keys(asked)
const beside = python === null ? 'with an adapter' : 'transformers, sorted by length'
const results = readResults<AnswersResult>(resultsFile('inference'))
// Rounds are told side by side: those without the peer stand alone.
const key = `${texts.length} rows in batches of ${batchSize}, ${processorOf(circumstances())}${python === null ? ', without transformers' : ''}`
for (let round = results[key]?.sides[beside]?.length ?? 0; round < rounds; round++) {
  const [found, load] = [circumstances(), rounded(loadavg()[0]!, 2)]
  const sides = await Promise.all(names.map(open))
  const passed = names.map((): Passed[] => [])
  for (let pass = 0; pass < warmup + passes; pass++)
    for (const [i, side] of sides.entries()) passed[i]!.push(await side.ask<Passed>('step'))
  for (const side of sides) await side.end()
  const compared = passed[names.indexOf(beside)]![warmup]!.scores
  const measured = passed.map((all): AnswersRound => {
    const counted = all.slice(warmup)
    return {
      load,
      rowsPerSecond: rounded((1e3 * texts.length) / median(counted.map(({ ms }) => ms)), 1),
      cpuSeconds: rounded(median(counted.map(({ cpuMs }) => cpuMs)) / 1e3),
      firstCpuSeconds: rounded(all[0]!.cpuMs / 1e3),
      peakMB: Math.round(counted.at(-1)!.peakBytes / 1e6),
      off: Math.max(...counted[0]!.scores.map((score, i) => Math.abs(score - compared[i]!))),
    }
  })
  results[key] = {
    ...{ rows: texts.length, batchSize, maxLength, beside },
    sides: Object.fromEntries(names.map((name, i) => [name, [...(results[key]?.sides[name] ?? []), measured[i]!]])),
    ...found,
    versions: Object.assign({}, found.versions, ...sides.map(({ versions }) => versions)),
    command: `npm run bench -- inference --rows ${count} --rounds ${rounds} --passes ${passes} --warmup ${warmup} --batch ${batchSize}`,
  }
  keepResults('inference', results, inferenceTold(results))
  console.log(`round ${round + 1}, load ${load}: ${names.map((name, i) => `${name} ${measured[i]!.rowsPerSecond} rows/s`).join(', ')}`)
}
rmSync(rows)
