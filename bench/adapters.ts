/**
 * Disk and memory of one model with several LoRA adapters, against as many merged copies of the model. Every setting runs in a process
 * of its own; results go to bench/results/adapters.md.
 * Usage: npm run bench -- adapters [--count 10] [--rank 8]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { findModel } from '../src/evaluate/find-model.ts'
import { methodFor } from '../src/evaluate/method-for.ts'
import { openTask } from '../src/evaluate/open-task.ts'
import { openPredictor } from '../src/evaluate/predictor.ts'
import { initialState } from '../src/evaluate/state.ts'
import { saveAdapter } from '../src/formats/index.ts'
import { mergeAdapter } from '../src/merging/merge.ts'
import { openAdapters } from '../src/merging/open-adapters.ts'
import { methodOptions } from '../src/methods/index.ts'
import { normals } from '../src/random/draws.ts'
import { keyOf } from '../src/random/key.ts'
import { circumstances, machineText } from './report/circumstances.ts'

const TEXT = ['He left the house early.', 'He went away.'] as const

/** What a process holds once every adapter has answered: resident bytes, and its share of them where pages are shared. */
interface Measured {
  readonly rss: number
  readonly pss: number
  readonly sessions: number
}

const kilobytes = (field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1]) * 1024

/** Every adapter answers twice. */
async function ask(answers: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const answer of [...answers, ...answers]) await answer()
}

/** By name what is opened and asked; gives the number of sessions. */
const settings: Readonly<Record<string, (model: string, folders: readonly string[]) => Promise<number>>> = {
  async 'one model with adapters'(model, folders) {
    const adapters = await openAdapters({ model })
    for (const folder of folders) adapters.load(folder, folder)
    await ask(
      folders.map((folder) => () => {
        adapters.use(folder)
        return adapters.predict([TEXT])
      }),
    )
    return adapters.sessions
  },
  async 'a predictor for each adapter'(model, folders) {
    const all = await Promise.all(folders.map((adapter) => openPredictor({ model, adapter })))
    await ask(all.map((one) => () => one.predict([TEXT])))
    return all.length
  },
  async 'merged copies'(_model, folders) {
    const all = await Promise.all(folders.map((folder) => openPredictor({ model: `${folder}-merged`, task: 'sequence-classification' })))
    await ask(all.map((one) => () => one.predict([TEXT])))
    return all.length
  },
  async 'one predictor'(model, [adapter]) {
    const one = await openPredictor({ model, adapter: adapter! })
    await ask([() => one.predict([TEXT])])
    return 1
  },
}

/** Makes adapters with random factors, and merges each into a copy of the model. */
async function make(id: string, folders: readonly string[], r: number): Promise<void> {
  const model = await findModel(id)
  const open = openTask(model, 'sequence-classification', ['0', '1'])
  const options = methodOptions.parse({ name: 'lora', r, targets: 'all-linear' })
  const method = methodFor(open.subject, open.outline, options)
  for (const [seed, folder] of folders.entries()) {
    const state = initialState(open.subject, open.outline, method, seed)
    for (const [name, { shape, data }] of state)
      if (name.endsWith('B.weight')) state.set(name, { shape, data: normals(data.length, keyOf(seed, name), { mean: 0, deviation: 0.01 }) })
    const card = { task: open.name, labels: open.labels, outputs: 2, baseModel: null, adapterName: null, totalSteps: null }
    saveAdapter(folder, { options, memory: null, state, card }, { model, outline: open.outline })
    if (!existsSync(`${folder}-merged`)) await mergeAdapter({ model: id, adapter: folder, out: `${folder}-merged` })
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
const bytesOf = (folder: string): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

async function main(): Promise<void> {
  const options = { count: { type: 'string', default: '10' }, rank: { type: 'string', default: '8' }, only: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  const assets = process.env.ADATUNE_ASSETS
  if (!assets) throw new Error('ADATUNE_ASSETS names no folder with models/all-MiniLM-L6-v2')
  const model = join(assets, 'models/all-MiniLM-L6-v2')
  const work = resolve('runs/bench-adapters')
  const folders = Array.from({ length: Number(values.count) }, (_, i) => join(work, `adapter-${i}`))
  if (values.only !== undefined) {
    const sessions = await settings[values.only]!(model, folders)
    console.log(JSON.stringify({ sessions, rss: process.memoryUsage().rss, pss: kilobytes('Pss') } satisfies Measured))
    return
  }
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  await make(model, folders, Number(values.rank))
  const found = circumstances()
  const passedOn = ['--count', values.count, '--rank', values.rank]
  const measured = Object.keys(settings).map((name): [string, Measured] => {
    const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'bench/adapters.ts', ...passedOn, '--only', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return [name, JSON.parse(stdout) as Measured]
  })
  const [adapter, copy] = [bytesOf(folders[0]!), bytesOf(`${folders[0]}-merged`)]
  const base = bytesOf(model)
  const disk: Readonly<Record<string, number>> = { 'merged copies': copy * folders.length, 'one predictor': base + adapter }
  const rows = measured.map(([name, { rss, pss, sessions }]) =>
    [name, megabytes(disk[name] ?? base + adapter * folders.length), megabytes(rss), megabytes(pss), sessions].join(' | '),
  )
  const text = `# Several adapters on one model

all-MiniLM-L6-v2 with ${folders.length} LoRA adapters of rank ${values.rank} in all linear maps, ${megabytes(adapter)} MB each, against ${folders.length} merged
copies of the model, ${megabytes(copy)} MB each. Sizes in MB. Resident memory counts a page of the weights' file once for each mapping, the
process's share (PSS) once in all. Every adapter has answered twice.

| setting | disk | resident | share | sessions |
| --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}

\`npm run bench -- adapters${values.count === '10' ? '' : ` --count ${values.count}`}\`; ${machineText(found)}; commit ${found.commit ?? 'unknown'}, ${found.date}
`
  writeFileSync('bench/results/adapters.md', text)
  console.log(text)
  rmSync(work, { recursive: true, force: true })
}

await main()
