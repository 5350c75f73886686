import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { before, test } from 'node:test'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import * as source from '../../src/index.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { jsonLines, repository, textRows, writeModel, writeTokenizer } from '../cli/project.ts'

const require = createRequire(import.meta.url)
const shell = process.platform === 'win32'

/** npm with the user's own registry and cache; what is in the cache is not asked for. */
const npm = (args: readonly string[], cwd: string): string =>
  execFileSync('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd,
    shell,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** The package as it would be published, and an empty project that has it. */
const folder = temporaryFolder()
const project = join(folder, 'project')
let tarball = ''
before(() => {
  const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], repository)) as {
    filename: string
  }[]
  tarball = join(folder, packed!.filename)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }')
  npm(['install', '--ignore-scripts', tarball], project)
})

/** Runs Node in the project; it must end well. */
const node = (...args: string[]): string =>
  execFileSync(process.execPath, args, {
    cwd: project,
    env: { ...process.env, ADATUNE_CACHE: join(folder, 'cache'), HF_HUB_OFFLINE: '1' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
const installed = (...path: string[]): string => join(project, 'node_modules', ...path)
const program = installed('adatune/bin/adatune.js')
const version = (JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }).version

test('publint has nothing to say', async () => {
  const bytes = readFileSync(tarball)
  const { messages, pkg } = await publint({ pack: { tarball: Uint8Array.from(bytes).buffer }, strict: true })
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg!)),
    [],
  )
})

test('types are found wherever a package of ES modules is', () => {
  const manifest = require.resolve('@arethetypeswrong/cli/package.json')
  const { bin } = require(manifest) as { bin: Record<string, string> }
  const args = [join(dirname(manifest), bin.attw!), tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color']
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

test('the package holds what runs and what tells of it, and no sources or tests', () => {
  const top = readdirSync(installed('adatune')).sort()
  for (const name of ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json']) assert.ok(top.includes(name), name)
  for (const name of top) assert.ok(!['src', 'test', 'bench', 'pretrain', 'node_modules'].includes(name), name)
  const files = readdirSync(installed('adatune/dist'), { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    files.filter((file) => file.includes('.test.')),
    [],
  )
})

test('the model that the documents begin with is installed where they say', () => {
  for (const page of ['README.md', 'docs/getting-started.md']) {
    const [path] = /node_modules\/[\w/-]+/.exec(readFileSync(installed('adatune', page), 'utf8'))!
    assert.ok(existsSync(join(project, path, 'model.safetensors')), `${page}: ${path}`)
  }
})

test('nothing that is installed needs its install script', () => {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>
  }
  const scripted = Object.entries(lock.packages).flatMap(([path, { hasInstallScript }]) => (hasInstallScript ? [path] : []))
  // The one of ONNX Runtime fetches its CUDA library; the other tests do without.
  assert.deepEqual(scripted, ['node_modules/onnxruntime-node'])
  const binaries = readdirSync(installed('onnxruntime-node/bin'), { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    binaries.filter((name) => /cuda|tensorrt/i.test(name)),
    [],
  )
})

test('the program tells its version', () => {
  const name = installed('.bin', shell ? 'adatune.cmd' : 'adatune')
  assert.equal(execFileSync(name, ['--version'], { cwd: project, shell, encoding: 'utf8' }), `${version}\n`)
})

test('importing the package gives all that its source exports', () => {
  const names = node('--input-type=module', '-e', "console.log(JSON.stringify(Object.keys(await import('adatune'))))")
  assert.deepEqual((JSON.parse(names) as string[]).sort(), Object.keys(source).sort())
})

const userFile = `import {
  type Answer, type Evaluation, type Predictor, type RuleName, type RunConfig, type RunEvent, type RunSettings, type RunSummary, type SeedsSummary, type Sink, fineTune, openPredictor, UserError,
} from 'adatune'

const settings: RunSettings = { model: 'm', task: 'sequence-classification', method: { name: 'adalora', budget: '0.3M' }, data: { train: 't.jsonl' } }
const sink: Sink = (event: RunEvent) => event.event === 'step' && console.log(event.step, event.loss)
export async function run(): Promise<Answer[]> {
  const summary: RunSummary = await fineTune(settings, { out: 'runs/a', sinks: [sink] })
  const predictor: Predictor = await openPredictor({ model: 'm', adapter: summary.out })
  return predictor.predict(['a text', ['a text', 'its pair']])
}
export const rateOf = (config: RunConfig): number | null => config.train.learningRate
export const mine = (error: unknown): boolean => error instanceof UserError
export const kept = (summary: RunSummary): Evaluation | null => summary.kept
export const seeds = (summary: RunSummary): SeedsSummary | undefined => summary.seeds
export const rule: RuleName = 'linear'
`
const typecheck = (text: string): string => {
  writeFileSync(join(project, 'user.ts'), text)
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  // No types but the package's own: what it needs, it brings.
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '']
  return spawnSync(process.execPath, [tsc, ...options, 'user.ts'], { cwd: project, encoding: 'utf8' }).stdout
}

test('a file of TypeScript has the public types', () => {
  assert.equal(typecheck(userFile), '')
  assert.match(typecheck(userFile.replace("name: 'adalora'", "name: 'adalor'")), /user\.ts\(5,.*adalor/)
  assert.match(typecheck(userFile.replace('summary.out', 'summary.folder')), /user\.ts\(9,.*folder/)
  assert.match(typecheck(userFile.replace('sinks: [sink]', 'afterwards: async () => {}')), /user\.ts\(8,.*afterwards/)
})

/** Tells what a process has loaded, ES modules and others: the debugger is told of every script. */
const listing = `data:text/javascript,${encodeURIComponent(`
  import { Session } from 'node:inspector'
  import { writeFileSync } from 'node:fs'
  const urls = [], session = new Session()
  session.connect()
  session.on('Debugger.scriptParsed', ({ params }) => urls.push(params.url))
  session.post('Debugger.enable')
  process.on('exit', () => writeFileSync('loaded.txt', urls.join('\\n')))
`)}`

/** The packages that a command loads, but for adatune, and what it prints. */
function packagesOf(...args: string[]): { packages: string[]; stdout: string } {
  const stdout = node('--import', listing, program, ...args)
  const paths = readFileSync(join(project, 'loaded.txt'), 'utf8').matchAll(/.*\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//g)
  const packages = new Set([...paths].map(([, name]) => name!))
  packages.delete('adatune')
  return { packages: [...packages].sort(), stdout }
}

test('a command loads no library that it does not need', () => {
  assert.deepEqual(packagesOf('--version').packages, ['commander'])
  assert.deepEqual(packagesOf('--help').packages, ['commander'])

  const model = join(project, 'model')
  writeModel(model)
  writeTokenizer(model)
  writeFileSync(join(project, 'train.jsonl'), jsonLines(textRows(8, 'train')))
  const run = { model: 'model', task: 'sequence-classification', data: { train: 'train.jsonl' }, train: { steps: 2 } }
  writeFileSync(join(project, 'run.json'), JSON.stringify(run))
  const needless = [
    ...['@huggingface/hub', '@huggingface/jinja', 'csv-parse', 'html-to-text', 'hyparquet', 'log-update', 'ml-matrix', 'postal-mime'],
    ...['simple-statistics', 'tar', 'yaml'],
  ]
  const commands = [
    { args: ['train', 'run.json', '--json', '--out', 'runs/a'], told: /^\{"event":"run"/ },
    { args: ['predict', '--model', 'model', '--adapter', 'runs/a/adapter', '--text', 'A good film.'], told: /^\{"label":"(good|bad)"/ },
  ]
  for (const { args, told } of commands) {
    const { packages, stdout } = packagesOf(...args)
    assert.match(stdout, told)
    assert.ok(packages.includes('onnxruntime-node'))
    assert.deepEqual(
      needless.filter((name) => packages.includes(name)),
      [],
    )
  }
})
