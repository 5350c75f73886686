import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { parse } from 'yaml'
import { armsOf } from '../../src/compare/arms.ts'
import { parseComparison } from '../../src/compare/comparison-file.ts'
import { parseRun } from '../../src/config/parse.ts'
import { givenOptions } from '../../src/generate/options.ts'
import { textMetrics } from '../../src/metrics/text/index.ts'
import { knownTasks } from '../../src/tasks/named-tasks.ts'
import { taskFile } from '../../src/tasks/task-file.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { jsonLines, repository, textRows, writeModel, writeTokenizer } from '../cli/project.ts'
import { blocks, document } from './documents.ts'

/** A folder laid out as the documents name it by ADATUNE_ASSETS, with a tiny model and invented rows in place of the real ones. */
const assets = temporaryFolder()
const work = temporaryFolder()
before(() => {
  const model = join(assets, 'models/all-MiniLM-L6-v2')
  writeModel(model)
  writeTokenizer(model)
  const data = join(assets, 'data/glue-mrpc')
  mkdirSync(data, { recursive: true })
  for (const part of ['train', 'dev']) {
    const rows = textRows(24, part).map(({ text, label }) => ({ sentence1: text, sentence2: 'A film.', label: label === 'good' ? 1 : 0 }))
    writeFileSync(join(data, `${part}.jsonl.gz`), gzipSync(jsonLines(rows)))
  }
  // Commands are run from a folder that looks like the repository.
  for (const name of ['bin', 'dist', 'package.json', 'node_modules']) symlinkSync(join(repository, name), join(work, name))
  cpSync(join(repository, 'examples'), join(work, 'examples'), { recursive: true })
})

const environment = { ...process.env, ADATUNE_ASSETS: assets, ADATUNE_CACHE: join(work, 'cache') }

test('the examples run', () => {
  const run = (file: string, ...args: string[]): string =>
    execFileSync(process.execPath, ['--import', 'tsx', join('examples', file), ...args], { cwd: work, env: environment, encoding: 'utf8' })
  assert.match(run('fine-tune.ts', 'runs/example'), /step 20: loss .*\n\d+ weights trained; accuracy/s)
  assert.match(run('predict.ts', 'runs/example/adapter'), /^[01] \{/)
  assert.deepEqual(readdirSync(join(work, 'examples')).sort(), ['fine-tune.ts', 'predict.ts'])
})

test('the run files of docs/run-file.md are ones', () => {
  const text = document('docs/run-file.md')
  const [shown] = blocks(text, 'yaml').map((block) => parse(block))
  assert.ok(parseRun(shown, 'docs/run-file.md').out)
  const parts = blocks(text, 'yaml part')
  const runs = parts.map((part) => parseRun({ ...shown, ...parse(part) }, 'docs/run-file.md'))
  assert.ok(runs.some(({ published }) => published))
  assert.ok(runs.some(({ train }) => train.cachePrefix === true))
})

test('the task files and run files of docs/tasks.md are ones', () => {
  const text = document('docs/tasks.md')
  const files = blocks(text, 'yaml task')
  assert.ok(files.length >= 2)
  for (const file of files) assert.ok(taskFile.parse(parse(file)).kind)
  const runs = blocks(text, 'yaml')
  for (const run of runs) assert.ok(parseRun(parse(run), 'docs/tasks.md').task)
  const parts = blocks(text, 'yaml part')
  assert.ok(parts.length >= 1)
  for (const part of parts) assert.ok(parseRun({ ...parse(runs[0]!), ...parse(part) }, 'docs/tasks.md').generate)
  for (const name of Object.keys(textMetrics)) assert.ok(text.includes(`\`${name}\``), name)
  for (const name of Object.keys(givenOptions.shape)) assert.ok(text.includes(`\`${name}\``), name)
  const named = knownTasks.filter((name) => name.includes('/'))
  for (const name of named) assert.ok(text.includes(`\`${name}\``) || text.includes(`\`${name.split('/')[1]}\``), name)
})

test('the comparison of docs/compare.md is one, has every setting and states the defaults', () => {
  process.env.ADATUNE_ASSETS = assets
  const [shown] = blocks(document('docs/compare.md'), 'yaml compare').map((block) => parse(block))
  const comparison = parseComparison(shown, 'docs/compare.md')
  assert.deepEqual(
    armsOf(comparison).arms.map(({ name }) => name),
    ['LoRA, AdaLoRA, AdaMix'.split(', ').flatMap((name) => [`${name}, budget 0.1%`, `${name}, budget 0.3%`]), 'BitFit'].flat(),
  )
  const { base: _, locate: _l, ...minimal } = parseComparison({ run: {}, axes: {} }, 'minimal')
  assert.deepEqual(
    Object.keys(shown).sort(),
    Object.keys(minimal)
      .filter((name) => name !== 'from')
      .sort(),
  )
  for (const name of ['match', 'metric', 'by', 'resamples', 'level', 'workers', 'memory'] as const)
    assert.deepEqual(comparison[name], minimal[name])
})
