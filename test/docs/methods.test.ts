import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { inspect } from '../../src/cli/inspect.ts'
import { defaultRate, methodOptions, methods } from '../../src/methods/index.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { command, jsonLines, succeed, textRows, writeModel, writeTokenizer } from '../cli/project.ts'
import { blocks, document } from './documents.ts'

/** What the index says of a method. */
interface Entry {
  readonly page: string
  readonly learningRate: number
}

const page = (name: string): string => document(join('docs/methods', name))
const index = new Map(
  [...page('README.md').matchAll(/^\| \[`(\w+)`\]\(([\w-]+\.md)\) .*?\| ([\d.e-]+) +\|/gm)].map(([, name, file, rate]): [string, Entry] => [
    name!,
    { page: file!, learningRate: Number(rate) },
  ]),
)
const pages = [...new Set([...index.values()].map((entry) => entry.page))]

/** Everything that is set as code in a page. */
const code = (text: string): string[] => (text.match(/```.*?```|`[^`]+`/gs) ?? []).map((part) => part.replace(/^`+|`+$/g, ''))

/** The defaults that a page's table states, by setting; a row may name several settings. */
const statedDefaults = (text: string): Map<string, string> =>
  new Map(
    [...text.matchAll(/^\| (`.+?`) +\| `([^`]+)` +\|/gm)].flatMap(([, names, value]) =>
      code(names!).map((name): [string, string] => [name, value!]),
    ),
  )

type Schema = Readonly<Record<string, unknown>>

/** The settings within a schema, at any depth but those of a wrapped method, which has a page of its own. */
function settingsWithin(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties = {} } = schema as { properties?: Readonly<Record<string, Schema>> }
  if (String(properties.name?.const) in methods) return []
  return [...Object.keys(properties), ...Object.values(schema).flatMap(settingsWithin)]
}

test('every method has a page, and the index states its learning rate', () => {
  assert.deepEqual([...index.keys()].sort(), Object.keys(methods).sort())
  for (const [name, { learningRate }] of index) assert.equal(learningRate, defaultRate(methodOptions.parse({ name })), name)
})

test('the index states the rates that settings bring', () => {
  const stated = [...page('README.md').matchAll(/^\| `(method: .+?)` +\| ([\d.e-]+) +\|/gm)]
  assert.ok(stated.length >= 3)
  for (const [, setting, rate] of stated) {
    const options = methodOptions.parse(parse(setting!).method)
    assert.equal(Number(rate), defaultRate(options), setting)
    assert.notEqual(Number(rate), defaultRate(methodOptions.parse({ name: options.name })), `${setting} changes nothing`)
  }
})

test('a page names every setting of its method with the default, and every word that a setting takes', () => {
  for (const { name, options } of Object.values(methods)) {
    const text = page(index.get(name)!.page)
    const stated = statedDefaults(text)
    const words = new Set(code(text).flatMap((part) => part.split(/[^\w-]+/)))
    const { properties } = z.toJSONSchema(options, { io: 'input' }) as { properties: Readonly<Record<string, Schema>> }
    const { name: _, ...defaults } = options.parse({ name })
    for (const [setting, value] of Object.entries(defaults)) {
      const cell = stated.get(setting)
      assert.ok(cell !== undefined, `${name} has no row for ${setting}`)
      const given = options.parse({ name, [setting]: parse(cell) }) as Readonly<Record<string, unknown>>
      assert.deepEqual(given[setting], value, `${name}: ${setting}`)
      const { enum: choices = [] } = properties[setting] as { enum?: readonly string[] }
      for (const word of [...choices, ...settingsWithin(properties[setting])]) assert.ok(words.has(word), `${name}: ${setting} ${word}`)
    }
  }
})

/** The settings of a schema, at any depth, that nothing is said of; a name among alternatives says itself. */
function undescribed(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties = {} } = schema as { properties?: Readonly<Record<string, Schema>> }
  const bare = Object.entries(properties).filter(([key, { description }]) => key !== 'name' && !description)
  const within = Object.entries(schema).flatMap(([key, inner]) => (key === 'properties' ? [] : undescribed(inner, path)))
  return [
    ...bare.map(([key]) => path + key),
    ...Object.entries(properties).flatMap(([key, one]) => undescribed(one, `${path}${key}.`)),
    ...within,
  ]
}

test('every setting of a method is described in its schema, at any depth', () => {
  for (const { name, options } of Object.values(methods)) assert.deepEqual(undescribed(z.toJSONSchema(options, { io: 'input' })), [], name)
})

test('settings of a method that the pages show are valid', () => {
  const shown = ['README.md', ...pages].flatMap((name) => code(page(name)).filter((part) => part.startsWith('method: ')))
  assert.ok(shown.length >= 3)
  for (const part of shown) methodOptions.parse(parse(part).method)
})

test('costs are what inspect prints for a model of the size of BERT-base', async () => {
  const model = temporaryFolder()
  const sizes = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072, max_position_embeddings: 512 }
  writeFileSync(join(model, 'config.json'), JSON.stringify({ model_type: 'bert', vocab_size: 30522, ...sizes }))
  for (const name of pages) {
    const shown = blocks(page(name), 'console')
    assert.ok(shown.length > 0, `${name} shows no cost`)
    for (const block of shown) {
      const [line, ...printed] = block.trim().split('\n')
      const [dollar, program, verb, ...args] = line!.split(' ')
      assert.deepEqual([dollar, program, verb], ['$', 'adatune', 'inspect'])
      const options = { model: { type: 'string' }, method: { type: 'string' }, set: { type: 'string', multiple: true } } as const
      const { method, set = [] } = parseArgs({ args, options }).values
      const text = await inspect({ model, task: 'sequence-classification', labels: 2, method, set, json: false })
      for (const part of printed) assert.ok(text.split('\n').includes(part), `${line}\n${part}\nis not in\n${text}`)
    }
  }
})

test('the example of each page runs', async () => {
  const work = temporaryFolder()
  const model = join(work, 'sentence-transformers/all-MiniLM-L6-v2')
  mkdirSync(model, { recursive: true })
  writeModel(model, { fields: { max_position_embeddings: 64 } })
  writeTokenizer(model)
  for (const part of ['train', 'dev']) writeFileSync(join(work, `${part}.jsonl`), jsonLines(textRows(12, part)))
  for (const name of pages) {
    const [run, ...more] = blocks(page(name), 'yaml')
    assert.ok(run && more.length === 0, `${name} has one run file`)
    writeFileSync(join(work, 'run.yaml'), run)
    const lines = blocks(page(name), 'sh').flatMap((block) => block.trim().split('\n'))
    assert.ok(lines[0]!.startsWith('adatune train run.yaml'), name)
    for (const line of lines) {
      const [, ...args] = line.split(' ')
      if (args[0] !== 'train') await succeed(args, work)
      else {
        const { code: exit, stderr } = await command([...args, '--set', 'train.steps=2', '--quiet'], work)
        assert.equal(exit, 0, `${name}: ${line}\n${stderr}`)
        assert.ok(existsSync(join(work, args[args.indexOf('--out') + 1]!, 'adapter')), line)
      }
    }
  }
})
