/**
 * Time and memory of a LoRA training step, and of the same step in torch with PEFT where ADATUNE_PEER_PYTHON names a Python that has
 * them. Each round starts a process for either side, and these make their steps in turns, so that other load on the machine meets
 * both alike; results go to bench/results/step.json, by case.
 * Usage: npm run bench -- step [case ...] [--rounds n] [--steps n] [--warmup n] [--threads n]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { parseRun } from '../src/config/parse.ts'
import type { RunConfig, RunSettings } from '../src/config/run-config.ts'
import { methodFor } from '../src/evaluate/weight-counts.ts'
import { peakBytes } from '../src/onnx/order.ts'
import { stream } from '../src/random/draws.ts'
import { keyOf } from '../src/random/key.ts'
import { runtimeVersion } from '../src/runtime/node.ts'
import { type Prepared, prepare } from '../src/train/prepare.ts'
import { buildStepGraph } from '../src/train/step-graph.ts'
import { stepOptions } from '../src/train/step-options.ts'
import { openTraining } from '../src/train/training.ts'
import { randomModel } from './training/random-model.ts'

interface Case {
  readonly about: string
  readonly targets: readonly string[]
  readonly batchSize: number
  /** The model's own dropout; null: what its config says. */
  readonly dropout: number | null
  /** Where model and rows are; null where they are not there. */
  readonly files: () => { readonly model: string; readonly rows: string } | null
}

/** What a process tells when it is ready, and after each step. */
interface Ready {
  readonly trainedWeights: number
  /** The most memory the process has had before its first step. */
  readonly readyBytes: number
  readonly versions: Readonly<Record<string, string>>
}
interface StepMeasured {
  readonly ms: number
  readonly cpuMs: number
  readonly tokens: number
  readonly loss: number
  /** The most memory the process has had so far. */
  readonly peakBytes: number
  readonly flops?: number
}

const root = resolve(import.meta.dirname, '..')
const cache = join(root, 'runs/bench-step')
const resultsFile = join(root, 'bench/results/step.json')
const rank = 8
const alpha = 16
const learningRate = 1e-4

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    /** Our side of a round, in this process. */
    alone: { type: 'boolean', default: false },
  },
})
const count = { rounds: Number(values.rounds), steps: Number(values.steps), warmup: Number(values.warmup), threads: Number(values.threads) }

/** A BERT of the base size with random weights, and rows of 128 random tokens; made once. */
function randomBertBase(): { model: string; rows: string } {
  const model = join(cache, 'bert-base-random')
  const rows = join(model, 'rows.jsonl')
  const config = {
    model_type: 'bert',
    architectures: ['BertForSequenceClassification'],
    num_hidden_layers: 12,
    hidden_size: 768,
    num_attention_heads: 12,
    intermediate_size: 3072,
    vocab_size: 30522,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
  }
  randomModel(model, config, 'sequence-classification', 'bench')
  if (existsSync(rows)) return { model, rows }
  const { below } = stream(keyOf('bench', 'rows'))
  const lines = Array.from({ length: 64 }, (_, row) =>
    JSON.stringify({ input_ids: Array.from({ length: 128 }, () => 1000 + below(29_000)), label: row % 2 }),
  )
  writeFileSync(rows, `${lines.join('\n')}\n`)
  return { model, rows }
}

function miniLmOnMrpc(): { model: string; rows: string } | null {
  const assets = process.env.ADATUNE_ASSETS
  return assets ? { model: join(assets, 'models/all-MiniLM-L6-v2'), rows: join(assets, 'data/glue-mrpc/train.jsonl.gz') } : null
}

const bertBase = { targets: ['query', 'value'], batchSize: 16, files: randomBertBase }
const linears = ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense']
const cases: Readonly<Record<string, Case>> = {
  'bert-base': { about: 'BERT base, random weights, 16 rows of 128 tokens, dropout 0.1', dropout: null, ...bertBase },
  'bert-base-no-dropout': { about: 'BERT base, random weights, 16 rows of 128 tokens, no dropout', dropout: 0, ...bertBase },
  'minilm-mrpc': {
    about: 'all-MiniLM-L6-v2 on MRPC, 32 rows of their own lengths, dropout 0.1',
    targets: linears,
    batchSize: 32,
    dropout: null,
    files: miniLmOnMrpc,
  },
}

function runConfigOf({ targets, batchSize, dropout }: Case, { model, rows }: { model: string; rows: string }): RunConfig {
  const settings: RunSettings = {
    model,
    task: 'sequence-classification',
    method: { name: 'lora', r: rank, alpha, targets: [...targets] },
    data: { train: rows },
    train: {
      batchSize,
      dropout,
      learningRate,
      schedule: 'constant',
      warmupRatio: 0,
      steps: count.warmup + count.steps,
      threads: count.threads,
    },
  }
  return parseRun(settings, 'bench/step.ts')
}

/** Our side, in this process: a step for each line of stdin, told in a line of JSON. */
async function stepOnDemand(config: RunConfig): Promise<void> {
  const prepared = await prepare(config)
  const training = await openTraining(prepared, config, prepared.state, prepared.memory)
  const tell = (told: Ready | StepMeasured): void => void process.stdout.write(`${JSON.stringify(told)}\n`)
  const peak = (): number => process.resourceUsage().maxRSS * 1024
  tell({ trainedWeights: trainedWeights(prepared), readyBytes: peak(), versions: { node: process.version, onnxruntime: runtimeVersion } })
  let step = 0
  for await (const _ of createInterface({ input: process.stdin })) {
    const start = performance.now()
    const cpu = process.cpuUsage()
    const { tokens, loss, flops } = (await training.advance(step++)).result
    const { user, system } = process.cpuUsage(cpu)
    const ms = performance.now() - start
    tell({ ms, cpuMs: (user + system) / 1e3, tokens, loss, flops, peakBytes: peak() })
  }
  await training.close()
}

/** The weights that the optimiser changes, without what it keeps beside them. */
function trainedWeights({ state }: Prepared): number {
  return [...state].reduce((sum, [name, { data }]) => sum + (name.includes('@') ? 0 : data.length), 0)
}

/** What the graph foretells of the intermediate results' bytes, for the largest of the batches. */
function foretoldBytes({ open, options, plan, state }: Prepared, { train }: RunConfig): number {
  const method = methodFor(open.subject, open.outline, options, plan.totalSteps)
  const { assembly } = buildStepGraph(open.subject, state, stepOptions(method, 1, train))
  const batches = Array.from({ length: count.warmup + count.steps }, (_, step) => plan.microBatches(step)[0]!.map(({ ids }) => ids.length))
  return Math.max(
    ...batches.map((lengths) =>
      peakBytes(assembly.network.graph, {
        rows: lengths.length,
        tokens: lengths.reduce((sum, length) => sum + length),
        length: Math.max(...lengths),
      }),
    ),
  )
}

/** One side of a round: a process that makes a step when asked. */
interface Side extends Ready {
  step(): Promise<StepMeasured>
  end(): Promise<void>
}

async function openSide(program: string, args: readonly string[]): Promise<Side> {
  const child = spawn(program, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`a measuring process ended early, with ${(await exit)[0]}`)
    return JSON.parse(value) as T
  }
  const ready = await next<Ready>()
  return {
    ...ready,
    step: () => {
      child.stdin.write('step\n')
      return next<StepMeasured>()
    },
    end: async () => {
      child.stdin.end()
      await exit
    },
  }
}

/** One side of a round, measured: `steps` without those of the warm-up. */
interface Measured {
  readonly readyBytes: number
  readonly steps: readonly StepMeasured[]
  readonly firstLoss: number
}

/** The steps of all sides, in turns. */
async function inTurns(sides: readonly Side[]): Promise<Measured[]> {
  const steps: StepMeasured[][] = sides.map(() => [])
  for (let step = 0; step < count.warmup + count.steps; step++) {
    for (const [i, side] of sides.entries()) steps[i]!.push(await side.step())
  }
  for (const side of sides) await side.end()
  return steps.map((all, i) => ({ readyBytes: sides[i]!.readyBytes, steps: all.slice(count.warmup), firstLoss: all[0]!.loss }))
}

function median(numbers: readonly number[]): number {
  const ordered = numbers.toSorted((a, b) => a - b)
  return (ordered[Math.floor((ordered.length - 1) / 2)]! + ordered[Math.ceil((ordered.length - 1) / 2)]!) / 2
}
const rounded = (number: number, digits = 3): number => Number(number.toFixed(digits))

/** One side of a round in short. */
function summary({ readyBytes, steps, firstLoss }: Measured) {
  const times = steps.map(({ ms }) => ms)
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
  const seconds = sum(times) / 1e3
  const flops = sum(steps.map((step) => step.flops ?? 0))
  return {
    medianMs: rounded(median(times), 1),
    minMs: rounded(Math.min(...times), 1),
    maxMs: rounded(Math.max(...times), 1),
    medianCpuMs: rounded(median(steps.map(({ cpuMs }) => cpuMs)), 1),
    tokensPerSecond: Math.round(sum(steps.map(({ tokens }) => tokens)) / seconds),
    ...(flops > 0 && { gflopsPerSecond: Math.round(flops / seconds / 1e9) }),
    peakMB: Math.round(steps.at(-1)!.peakBytes / 1e6),
    readyMB: Math.round(readyBytes / 1e6),
    firstLoss: rounded(firstLoss, 6),
  }
}

/** The middle of some rounds with their spread. */
function spread(numbers: readonly number[]) {
  return {
    median: rounded(median(numbers)),
    min: rounded(Math.min(...numbers)),
    max: rounded(Math.max(...numbers)),
    rounds: numbers.map((n) => rounded(n)),
  }
}

/** Rounds of one case: ours and the peer's in turns. */
async function compare(name: string, peerPython: string | null) {
  const each = cases[name]!
  const files = each.files()
  if (!files) return null
  const config = runConfigOf(each, files)
  const prepared = await prepare(config)
  const batches = join(cache, `${name}-batches.json`)
  const rowsOf = (step: number) =>
    prepared.plan.microBatches(step)[0]!.map(({ ids, types, label }) => ({ ids: [...ids], types: [...types], label }))
  writeFileSync(batches, JSON.stringify(Array.from({ length: count.warmup + count.steps }, (_, step) => rowsOf(step))))
  const peerCase = join(cache, `${name}-peer.json`)
  const { targets, dropout } = each
  const { threads } = count
  writeFileSync(peerCase, JSON.stringify({ model: files.model, batches, targets, rank, alpha, dropout, learningRate, threads }))
  const own = ['--import', 'tsx', 'bench/step.ts', name, '--alone', ...Object.entries(count).map(([key, value]) => `--${key}=${value}`)]

  const rounds: { load: number; ours: Measured; peer: Measured | null }[] = []
  const about: Ready[] = []
  for (let round = 0; round < count.rounds; round++) {
    const load = rounded(loadavg()[0]!, 2)
    const sides = [await openSide(process.execPath, own)]
    if (peerPython !== null) sides.push(await openSide(peerPython, ['bench/peer/step.py', peerCase]))
    about.splice(0, about.length, ...sides)
    const [ours, peer = null] = (await inTurns(sides)) as [Measured, Measured?]
    rounds.push({ load, ours, peer })
    const told = [['ours', ours] as const, ...(peer ? [['torch', peer] as const] : [])].map(([side, measured]) => {
      const { medianMs, minMs, maxMs, tokensPerSecond, peakMB } = summary(measured)
      return `${side} ${medianMs} ms (${minMs} to ${maxMs}), ${tokensPerSecond} tokens/s, peak ${peakMB} MB`
    })
    console.log(`${name} round ${round + 1}, load ${load}: ${told.join('; ')}`)
  }
  const [{ ours, peer }] = rounds as [(typeof rounds)[number]]
  const [first, other] = about as [Ready, Ready?]
  if (other && other.trainedWeights !== first.trainedWeights) {
    throw new Error(`${name}: ${first.trainedWeights} weights are trained, ${other.trainedWeights} by the peer`)
  }
  // The same weights and rows, and an increment that is zero at the start.
  if (peer && dropout === 0 && Math.abs(peer.firstLoss - ours.firstLoss) > 1e-4) {
    throw new Error(`${name}: the first loss is ${ours.firstLoss}, the peer's ${peer.firstLoss}`)
  }
  const pairs = rounds.flatMap((round) => (round.peer ? [[round.ours, round.peer] as const] : []))
  const ratio = (of: 'medianMs' | 'medianCpuMs' | 'peakMB') => spread(pairs.map(([a, b]) => summary(a)[of] / summary(b)[of]))
  /** Step against the same step, which the two sides made one after the other. */
  const paired = spread(pairs.map(([a, b]) => median(a.steps.map(({ ms }, i) => ms / b.steps[i]!.ms))))
  return {
    about: each.about,
    settings: {
      method: 'lora',
      rank,
      alpha,
      targets,
      batchSize: each.batchSize,
      dropout: dropout ?? 'of the config',
      learningRate,
      ...count,
    },
    trainedWeights: first.trainedWeights,
    tokensOfSteps: ours.steps.map(({ tokens }) => tokens),
    foretoldIntermediatesMB: Math.round(foretoldBytes(prepared, config) / 1e6),
    rounds: rounds.map((round) => ({ load: round.load, ours: summary(round.ours), peer: round.peer && summary(round.peer) })),
    /** Ours over the peer's: below 1 ours is faster or smaller. */
    ratios:
      pairs.length === 0 ? null : { time: ratio('medianMs'), pairedTime: paired, cpuTime: ratio('medianCpuMs'), memory: ratio('peakMB') },
    machine: { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGB: Math.round(totalmem() / 1e9) },
    versions: { ...first.versions, ...other?.versions },
    date: new Date().toISOString().slice(0, 10),
    command: `npm run bench -- step ${name} ${Object.entries(count)
      .map(([key, value]) => `--${key} ${value}`)
      .join(' ')}`,
    noise:
      `Load average at the start of the rounds: ${rounds.map(({ load }) => load).join(', ')} on ${cpus().length} cores. Above 0.5 other work ` +
      'ran too: times are then too long, and with 2 or more threads the peer suffers more, whose threads spin while they wait for each other.',
  }
}

type Compared = NonNullable<Awaited<ReturnType<typeof compare>>>

function table(results: Readonly<Record<string, Compared>>): string {
  const head = [
    'case',
    'step ms',
    'tokens/s',
    'peak MB',
    'foretold MB',
    'torch ms',
    'torch MB',
    'time ratio',
    'paired',
    'CPU ratio',
    'memory ratio',
  ]
  const between = (of: { median: number; min: number; max: number } | undefined): string =>
    of ? `${of.median.toFixed(2)} (${of.min.toFixed(2)}-${of.max.toFixed(2)})` : '-'
  const rows = Object.entries(results).map(([name, { rounds, ratios, foretoldIntermediatesMB }]) => {
    const of = (side: 'ours' | 'peer', key: 'medianMs' | 'tokensPerSecond' | 'peakMB'): string => {
      const found = rounds.flatMap((round) => round[side]?.[key] ?? [])
      return found.length === 0 ? '-' : median(found).toFixed(0)
    }
    const own = [of('ours', 'medianMs'), of('ours', 'tokensPerSecond'), of('ours', 'peakMB'), String(foretoldIntermediatesMB)]
    const against = [
      of('peer', 'medianMs'),
      of('peer', 'peakMB'),
      between(ratios?.time),
      between(ratios?.pairedTime),
      between(ratios?.cpuTime),
      between(ratios?.memory),
    ]
    return [name, ...own, ...against]
  })
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const preface = `# A LoRA step against HF PEFT

Made by \`npm run bench -- step\`; settings, machine, versions and noise are in step.json. Medians of rounds, smallest and largest in
brackets; ratios are ours over the peer's, below 1 ours is faster or smaller.
`

const wanted = positionals.length > 0 ? positionals : Object.keys(cases)
const unknown = wanted.find((name) => !Object.hasOwn(cases, name))
if (unknown !== undefined || Object.values(count).some((n) => !(Number.isInteger(n) && n >= 0)) || count.steps * count.rounds === 0) {
  console.error(
    unknown === undefined
      ? 'Give whole numbers, rounds and steps from 1.'
      : `There is no case "${unknown}"; there are ${Object.keys(cases).join(', ')}.`,
  )
  process.exit(2)
}

if (values.alone) {
  const each = cases[wanted[0]!]!
  await stepOnDemand(runConfigOf(each, each.files()!))
} else {
  mkdirSync(cache, { recursive: true })
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  const peerPython = process.env.ADATUNE_PEER_PYTHON ?? null
  if (peerPython === null) console.log('ADATUNE_PEER_PYTHON names no Python with torch, transformers and peft: only our side is measured.')
  const results: Record<string, Compared> = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : {}
  const made: Record<string, Compared> = {}
  for (const name of wanted) {
    const compared = await compare(name, peerPython)
    if (!compared) {
      console.log(`${name} is left out: set ADATUNE_ASSETS to the folder that holds models/all-MiniLM-L6-v2 and data/glue-mrpc.`)
      continue
    }
    const key = `${name}, ${count.threads} threads`
    made[key] = compared
    results[key] = compared
    writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`)
    writeFileSync(resultsFile.replace(/json$/, 'md'), `${preface}\n${table(results)}\n`)
  }
  if (Object.keys(made).length > 0) console.log(`\n${table(made)}\n`)
}
