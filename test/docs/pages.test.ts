import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { pages, renewed } from '../../reference/pages.ts'
import { commands as known } from '../../src/cli/commands.ts'
import { program } from '../../src/cli/program.ts'
import { parseRun } from '../../src/config/parse.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { jsonLines, repository, succeed, textRows, writeModel, writeTokenizer } from '../cli/project.ts'
import { blocks, calls, document, fenced } from './documents.ts'

/** A folder like a clone after the demo, with a tiny model and invented rows in place of the real ones; `labels` are those of the rows. */
function clone(): string {
  const folder = temporaryFolder()
  const model = join(folder, 'models/adatune-tiny')
  writeModel(model, { fields: { max_position_embeddings: 64 } })
  writeTokenizer(model)
  for (const part of ['train', 'dev']) writeFileSync(join(folder, `${part}.jsonl`), jsonLines(textRows(24, part)))
  const mails = join(folder, 'adatune-demo/data')
  mkdirSync(mails, { recursive: true })
  for (const name of ['train-2000', 'test-500']) {
    const rows = textRows(24, name).map(({ text, label }) => ({ text, label: label === 'good' ? 'ham' : 'spam' }))
    writeFileSync(join(mails, `${name}.jsonl`), jsonLines(rows))
  }
  for (const name of ['dist', 'package.json', 'node_modules']) symlinkSync(join(repository, name), join(folder, name))
  return folder
}

const node = (folder: string, ...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: folder, env: { ...process.env, ADATUNE_CACHE: join(folder, '.cache') }, encoding: 'utf8' })

const python = process.env.ADATUNE_PEER_PYTHON

/** What a page's examples print, in their order: its first run file is run.yaml, others must be valid; Python only where it is told. */
async function run(page: string, folder: string): Promise<string[]> {
  const printed: string[] = []
  for (const [i, { info, body }] of fenced(document(page)).entries()) {
    if (info === 'yaml' && existsSync(join(folder, 'run.yaml'))) assert.ok(parseRun(parse(body), page))
    else if (info === 'yaml') writeFileSync(join(folder, 'run.yaml'), body)
    if (info === 'ts') {
      writeFileSync(join(folder, `example-${i}.ts`), body)
      printed.push(node(folder, '--import', 'tsx', `example-${i}.ts`))
    }
    if (info === 'python' && python) printed.push(execFileSync(python, ['-c', body], { cwd: folder, encoding: 'utf8' }))
    if (info !== 'sh') continue
    for (const args of calls(body)) if (python || !args.some((arg) => arg.includes('python/'))) printed.push(await succeed(args, folder))
  }
  return printed
}

test('the examples of the README run', async () => {
  const folder = clone()
  const printed = await run('README.md', folder)
  assert.equal(printed.length, 4)
  assert.match(printed[1]!, /^\{"label":"(ham|spam)","scores"/)
  assert.match(printed[3]!, /^[\d.]+ \{\s+label: '(ham|spam)'/)
  assert.ok(existsSync(join(folder, 'runs/merged/config.json')))
})

test('the examples of getting started run, and a run leaves what is said there', async () => {
  const folder = clone()
  const printed = await run('docs/getting-started.md', folder)
  assert.match(printed.at(-1)!, /accuracy: [\d.]+/)
  const tree = fenced(document('docs/getting-started.md')).find(({ body }) => body.startsWith('runs/first/'))!.body
  const named = tree.split('\n').flatMap((line) => /^ {2}([\w.-]+)/.exec(line)?.[1] ?? [])
  assert.equal(named.length, 5)
  for (const name of named) assert.ok(readdirSync(join(folder, 'runs/first')).includes(name), name)
  for (const line of blocks(document('docs/getting-started.md'), 'json').join('').trim().split('\n')) assert.ok(JSON.parse(line).text)
})

test('the examples of the concepts run', async () => {
  assert.match((await run('docs/concepts.md', clone())).join(), /lora|in training/)
})

test('Python and adatune answer alike with the adapters of either', async () => {
  const printed = await run('docs/interop.md', clone())
  const ours = printed.filter((text) => text.startsWith('{"label"')).map((text) => JSON.parse(text).scores as Record<string, number>)
  assert.equal(ours.length, python ? 3 : 2)
  if (!python) return
  const theirs = printed
    .filter((text) => text.startsWith('['))
    .map((text) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
  // The adapter and the merged model, the adapter that PEFT made, the bottleneck.
  assert.deepEqual(
    theirs.map(({ length }) => length),
    [2, 1, 1],
  )
  for (const [i, answers] of theirs.entries())
    for (const [bad, good] of answers)
      assert.ok(Math.abs(bad - ours[i]!.bad!) + Math.abs(good - ours[i]!.good!) < 1e-5, `${JSON.stringify(ours[i])} ${bad} ${good}`)
})

/** Every page: those of docs, and what lies beside the code. */
const allPages = [
  'README.md',
  'bench/README.md',
  ...readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
]

test('examples in TypeScript have the types of the package', () => {
  const folder = clone()
  const examples = allPages.flatMap((page) => blocks(document(page), 'ts'))
  assert.ok(examples.length >= 3)
  const names = examples.map((body, i) => {
    writeFileSync(join(folder, `typed-${i}.ts`), `${body}\nexport {}\n`)
    return `typed-${i}.ts`
  })
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--skipLibCheck']
  assert.equal(spawnSync(process.execPath, [tsc, ...options, ...names], { cwd: folder, encoding: 'utf8' }).stdout, '')
})

test('what is made from the sources is up to date: npm run docs', async () => {
  for (const page of pages) assert.equal(document(page), await renewed(page, document(page)), page)
})

test('commands that pages show are there, with the options that they are given', async () => {
  const { commands } = await program(Object.keys(known), () => {})
  const shown = allPages.flatMap((page) =>
    fenced(document(page)).flatMap(({ body }) => calls(body.replaceAll('\\\n', '').replaceAll('$ adatune', 'adatune'))),
  )
  assert.ok(shown.length > 40)
  for (const [name, ...args] of shown) {
    if (name === '--version') continue
    const command = commands.find((one) => one.name() === name)
    assert.ok(command, name)
    for (const arg of args.filter((one) => one.startsWith('--')))
      assert.ok(
        command.options.some(({ long }) => long === arg),
        `adatune ${name} has no ${arg}`,
      )
  }
})

/** The place of a heading in an address, as GitHub makes it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

test('links lead to pages and headings that are there, and the index names every page', () => {
  for (const page of allPages) {
    const text = document(page).replaceAll(/^```.*?^```/gms, '')
    for (const [, address] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(address!)) continue
      const [path, heading] = address!.split('#')
      const target = path === '' ? page : join(dirname(page), path!)
      assert.ok(existsSync(join(repository, target)), `${page}: ${address}`)
      if (heading === undefined) continue
      const headings = [...document(target).matchAll(/^#+ (.*)$/gm)].map(([, title]) => anchor(title!))
      assert.ok(headings.includes(heading), `${page}: ${address}`)
    }
  }
  const index = readFileSync(join(repository, 'docs/README.md'), 'utf8')
  for (const name of readdirSync(join(repository, 'docs'))) {
    if (name.endsWith('.md') && name !== 'README.md') assert.ok(index.includes(`(${name})`), `docs/README.md does not name ${name}`)
  }
})
