import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { before, test } from 'node:test'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { jsonLines, repository, textRows } from '../cli/project.ts'
import { blocks, calls, document, namedBlocks } from './documents.ts'

/** A copy of the sources with what the page adds to them. */
const copy = temporaryFolder()
const page = document('docs/contributing.md')

/** Puts a block with `+` and `-` in a file: its other lines and those with `-` stand there once, in a row. */
function patch(name: string, block: string): void {
  const lines = block.trimEnd().split('\n')
  const side = (signs: string): string =>
    lines
      .filter((line) => signs.includes(line[0]!))
      .map((line) => line.slice(1))
      .join('\n')
  const file = join(copy, name)
  const parts = readFileSync(file, 'utf8').split(side(' -'))
  assert.equal(parts.length, 2, `${name} holds ${parts.length - 1} times:\n${side(' -')}`)
  writeFileSync(file, parts.join(side(' +')))
}

/** Runs Node in the copy; returns what it printed. It must end well. */
function node(...args: string[]): string {
  // Tests within a test would report to it.
  const { NODE_TEST_CONTEXT: _, ...own } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    env: { ...own, ADATUNE_CACHE: join(copy, 'cache') },
    encoding: 'utf8',
  })
  assert.equal(status, 0, `${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

before(() => {
  const tests = ['test/conformance/gradients.test.ts', 'test/cli/project.ts', 'test/behaviour/tiny-model.ts']
  for (const name of ['src', 'bin', ...tests, 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(repository, name), join(copy, name), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
  for (const language of ['ts', 'yaml'])
    for (const { name, body } of namedBlocks(page, language)) {
      mkdirSync(dirname(join(copy, name)), { recursive: true })
      writeFileSync(join(copy, name), body)
    }
  for (const { name, body } of namedBlocks(page, 'diff')) patch(name, body)
})

test('what the page adds has types that fit, and builds', () => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  node(tsc, '-p', 'tsconfig.build.json', '--noEmitOnError')
  cpSync(join(copy, 'src/tasks/named'), join(copy, 'dist/tasks/named'), { recursive: true })
})

test('the gradient of its operator agrees with finite differences', () => {
  const report = node('--import', 'tsx', '--test', '--test-reporter', 'tap', 'test/conformance/gradients.test.ts')
  assert.match(report, /ok \d+ - .*Softsign/)
})

test('its model learns its task by its method, and merges', () => {
  const write = `
    import { writeModel, writeTokenizer } from './test/cli/project.ts'
    writeModel('ernie-tiny', { fields: { model_type: 'ernie' } })
    writeTokenizer('ernie-tiny')`
  node('--import', 'tsx', '--input-type=module', '-e', write)
  const rows = textRows(32, 'mail').map(({ text, label }) => ({ body: text, folder: label === 'good' ? 0 : 1 }))
  writeFileSync(join(copy, 'mail.jsonl'), jsonLines(rows))
  writeFileSync(join(copy, 'run.yaml'), blocks(page, 'yaml run')[0]!)
  const commands = blocks(page, 'sh').flatMap(calls)
  assert.deepEqual(
    commands.map(([name]) => name),
    ['train', 'predict', 'merge'],
  )
  const [, answer, merged] = commands.map((args) => node('bin/adatune.js', ...args))
  assert.match(answer!, /"label":"(inbox|junk)"/)
  assert.match(merged!, /logits/)
  const events = readFileSync(join(copy, 'runs/gain/run.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const losses = events.filter(({ event }) => event === 'step').map(({ loss }) => loss as number)
  const mean = (some: readonly number[]): number => some.reduce((sum, loss) => sum + loss) / some.length
  assert.equal(losses.length, 40)
  assert.ok(mean(losses.slice(-8)) < 0.85 * mean(losses.slice(0, 8)), losses.join(' '))
})
