import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { main } from '../../src/cli/main.ts'
import { outline } from '../../src/evaluate/assembly.ts'
import { heads } from '../../src/heads/index.ts'
import { openConfig } from '../../src/models/open.ts'
import { normals, stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { bertSizes, temporaryFolder } from '../behaviour/tiny-model.ts'

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const program = join(repository, 'bin/adatune.js')

/** What a child process left. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Nothing is fetched, and what is kept stays in the folder. */
const settings = (folder: string): Record<string, string> => ({ ADATUNE_CACHE: join(folder, '.cache'), HF_HUB_OFFLINE: '1' })

/** Starts a program with Node; nothing of the user's settings or of the hub reaches it. */
export function startNode(file: string, args: readonly string[], folder: string, input: string | null = null): Running {
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...settings(folder) }
  const child = spawn(process.execPath, [file, ...args], { cwd: folder, env, stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
  child.stdin?.end(input)
  let [stdout, stderr] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, ended }
}

/** Starts the command line in a folder. */
export const start = (args: readonly string[], folder: string, input: string | null = null): Running =>
  startNode(program, args, folder, input)

/** Runs the command line in a folder to its end; with what a user types, if anything. */
export const adatune = (args: readonly string[], folder: string, input: string | null = null): Promise<Ended> =>
  start(args, folder, input).ended

/** Runs the command line and returns what it printed; it must end well. */
export async function succeed(args: readonly string[], folder: string, input: string | null = null): Promise<string> {
  const { code, signal, stdout, stderr } = await adatune(args, folder, input)
  assert.equal(code, 0, `adatune ${args.join(' ')} ended with ${code ?? signal}: ${stderr}`)
  return stdout
}

/**
 * Runs a command line in this process, which spares a start; gives the exit code and what went to stderr. What the command prints on
 * stdout would mix with the test's report.
 */
export async function command(args: readonly string[], folder: string): Promise<{ code: number; stderr: string }> {
  const [before, write] = [process.cwd(), process.stderr.write]
  let stderr = ''
  Object.assign(process.env, settings(folder))
  process.chdir(folder)
  process.stderr.write = ((text: string | Uint8Array): boolean => {
    stderr += typeof text === 'string' ? text : Buffer.from(text).toString()
    return true
  }) as typeof write
  try {
    return { code: await main(args), stderr }
  } finally {
    process.stderr.write = write
    process.chdir(before)
  }
}

/** Waits for a condition, for three minutes at most: machines with much other work start programs slowly. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 180_000
  while (!condition()) {
    assert.ok(performance.now() < end, `waited three minutes for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
}

export interface ModelOptions {
  readonly fields?: Readonly<Record<string, unknown>>
  /** Classes of the head that comes with the weights; none by default. */
  readonly classes?: readonly string[]
}

/** Writes a BERT of two layers with random weights. */
export function writeModel(folder: string, { fields = {}, classes = [] }: ModelOptions = {}): void {
  mkdirSync(folder, { recursive: true })
  const names = classes.length > 0 ? { id2label: Object.fromEntries(classes.map((name, i) => [i, name])) } : {}
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...bertSizes, ...names, ...fields }))
  const { base } = outline({ model: openConfig(folder), head: heads['sequence-classification'], labels: Math.max(classes.length, 1) })
  const tensors = [...base.values()]
    .filter(({ name }) => classes.length > 0 || !name.startsWith('classifier'))
    .map(({ name, shape }) => {
      const size = shape.reduce((n, dim) => n * dim, 1)
      const data = normals(size, keyOf('cli', name), { mean: name.endsWith('LayerNorm.weight') ? 1 : 0, deviation: 0.2 })
      return [name, { shape, data }] as const
    })
  writeSafetensors(join(folder, 'model.safetensors'), tensors)
}

const words = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'a',
  'bad',
  'dull',
  'fine',
  'film',
  'good',
  'is',
  'not',
  'play',
  'the',
  'very',
  'was',
  '##s',
  '.',
]

/** Writes a WordPiece tokenizer of a few words. */
export function writeTokenizer(folder: string): void {
  const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } })
  const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } })
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  const tokenizer = {
    version: '1.0',
    added_tokens: words.slice(0, 4).map((content, id) => ({ id, content, ...flags })),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0)],
      pair: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0), text('B', 1), special('[SEP]', 1)],
      special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] } },
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
}

export type DataRow = Readonly<Record<string, unknown>>

/** Rows of random tokens, labelled by their first token. */
export function tokenRows(count: number, seed: string): DataRow[] {
  const draws = stream(keyOf('rows', seed))
  return Array.from({ length: count }, () => {
    const input_ids = Array.from({ length: 4 + draws.below(16) }, () => draws.below(bertSizes.vocab_size))
    return { input_ids, label: input_ids[0]! % 3 === 0 ? 'yes' : 'no' }
  })
}

/** Sentences, labelled by whether they praise. */
export function textRows(count: number, seed: string): DataRow[] {
  const draws = stream(keyOf('sentences', seed))
  const one = (choices: readonly string[]): string => choices[draws.below(choices.length)]!
  return Array.from({ length: count }, () => {
    const judgement = one(['good', 'bad', 'fine', 'dull'])
    const text = `${one(['The', 'A'])} ${one(['film', 'play', 'films'])} ${one(['is', 'was'])} ${one(['', 'very '])}${judgement}${one(['', '.'])}`
    return { text, label: ['good', 'fine'].includes(judgement) ? 'good' : 'bad' }
  })
}

export const jsonLines = (rows: readonly DataRow[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** A folder with a model, a tokenizer and data; commands run in it, with relative paths. */
export function projectFolder(model: ModelOptions = {}): string {
  const folder = temporaryFolder()
  writeModel(join(folder, 'model'), model)
  writeTokenizer(join(folder, 'model'))
  writeFileSync(join(folder, 'train.jsonl'), jsonLines(tokenRows(48, 'train')))
  writeFileSync(join(folder, 'eval.jsonl'), jsonLines(tokenRows(24, 'eval')))
  return folder
}

type Settings = Readonly<Record<string, unknown>>

/** Writes a run file for the model and data of the folder. */
export function writeRun(
  folder: string,
  name: string,
  { train = {}, data = {}, ...settings }: { train?: Settings; data?: Settings; [key: string]: unknown },
): void {
  const run = {
    model: 'model',
    task: 'sequence-classification',
    method: { name: 'lora', r: 2 },
    data: { train: 'train.jsonl', eval: 'eval.jsonl', ...data },
    train: { steps: 4, batchSize: 8, threads: 1, ...train },
    ...settings,
  }
  writeFileSync(join(folder, name), stringify(run))
}

export const readJson = (...path: readonly string[]): Record<string, unknown> => JSON.parse(readFileSync(join(...path), 'utf8'))

export type Event = Readonly<Record<string, unknown>>

/** The lines of a run's record that are whole. */
export function eventsOf(text: string): Event[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Event)
}

export const recordOf = (run: string): string => (existsSync(join(run, 'run.jsonl')) ? readFileSync(join(run, 'run.jsonl'), 'utf8') : '')

const clocks = ['ms', 'seconds', 'cpuSeconds', 'peakMemoryBytes', 'joules']

/** Lines of a run's record without readings of clock and memory. */
const withoutClocks = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : JSON.stringify(JSON.parse(line), (key, value) => (clocks.includes(key) ? undefined : value))))

/** Updates that a run's record tells of. */
export const stepsDone = (run: string): number =>
  Math.max(0, ...eventsOf(recordOf(run)).map(({ event, step }) => (event === 'step' ? Number(step) : 0)))

/** The checkpoints of a run that it can go on from, oldest first. */
export function checkpoints(run: string): string[] {
  const folder = join(run, 'checkpoints')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** Every file below a folder by its path, with its bytes. */
function filesBelow(folder: string): Map<string, Buffer> {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return new Map(found.filter((name) => statSync(join(folder, name)).isFile()).map((name) => [name, readFileSync(join(folder, name))]))
}

/** Two finished runs came to the same: adapter, experts, last state and record. */
export function assertSameRun(run: string, expected: string, context = ''): void {
  for (const part of ['adapter', 'experts.safetensors']) assertSameFiles(join(run, part), join(expected, part), context)
  assertSameFiles(join(checkpoints(run).at(-1)!, 'state.safetensors'), join(checkpoints(expected).at(-1)!, 'state.safetensors'), context)
  assert.deepEqual(withoutClocks(recordOf(run)), withoutClocks(recordOf(expected)), context)
  const metricsOf = (of: string): object =>
    Object.fromEntries(Object.entries(readJson(of, 'metrics.json')).filter(([name]) => !clocks.includes(name)))
  assert.deepEqual(metricsOf(run), metricsOf(expected), context)
}

function assertSameFiles(path: string, expected: string, context: string): void {
  assert.equal(existsSync(path), existsSync(expected), `${path} ${context}`)
  if (!existsSync(path)) return
  const contents = (at: string): Map<string, Buffer> => (statSync(at).isFile() ? new Map([['', readFileSync(at)]]) : filesBelow(at))
  const [given, wanted] = [contents(path), contents(expected)]
  assert.deepEqual([...given.keys()], [...wanted.keys()], `${path} ${context}`)
  for (const [name, bytes] of given) assert.ok(bytes.equals(wanted.get(name)!), `${join(path, name)} has other bytes ${context}`)
}
