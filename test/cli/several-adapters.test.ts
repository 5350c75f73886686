import assert from 'node:assert/strict'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRows } from '../../src/data/read-rows.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { openAdapters } from '../../src/merging/open-adapters.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { command, eventsOf, jsonLines, projectFolder, succeed, tokenRows, writeModel, writeRun } from './project.ts'

const folder = projectFolder({ classes: ['no', 'yes'] })
const at = (name: string): string => join(folder, name)
const rows = tokenRows(24, 'eval')
const names = ['first', 'second', '', 'third', '__base__', 'wide', null]
const nameOf = (i: number): string | null => names[(i * 5) % names.length]!
writeFileSync(at('named.jsonl'), jsonLines(rows.map((row, i) => ({ ...row, lang: nameOf(i) }))))
writeModel(at('bare'))

const methods: Readonly<Record<string, object>> = {
  first: { name: 'lora', r: 2 },
  second: { name: 'lora', r: 2 },
  wide: { name: 'lora', r: 3 },
  third: { name: 'bottleneck', size: 3 },
  fourth: { name: 'bottleneck', size: 4, variant: 'houlsby' },
}
const runs = (async () => {
  for (const [seed, [name, method]] of Object.entries(methods).entries()) {
    writeRun(folder, `${name}.yaml`, { method, train: { steps: 6, learningRate: 0.05, seed } })
    const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name, '--quiet'], folder)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  }
  // The third, changing nothing but through its head.
  cpSync(at('third/adapter'), at('idle'), { recursive: true })
  const file = join(at('idle'), 'adapter.safetensors')
  const tensors = [...readHeader(file).tensors].map(([name, entry]) => {
    const data = readTensor(entry)
    return [name, { shape: entry.shape, data: name.includes('adapter_up') ? data.fill(0) : data }] as const
  })
  writeSafetensors(file, tensors)
  // The note seals the file that was there.
  rmSync(join(at('idle'), 'adatune.json'))
  cpSync(at('fourth/adapter'), at('headless'), { recursive: true })
  for (const name of ['adatune.json', 'head_config.json', 'model_head.safetensors']) rmSync(join(at('headless'), name))
})()

const logitsIn = (answers: readonly Readonly<Record<string, unknown>>[]): number[] => answers.flatMap(({ logits }) => logits as number[])
async function alone(adapter: string | null): Promise<number[][]> {
  const predictor = await openPredictor({ model: at('model'), adapter: adapter && at(adapter), task: 'sequence-classification' })
  const answers = await predictor.predict(await readRows(at('eval.jsonl')), { logits: true })
  await predictor.close()
  return answers.map(({ logits }) => logits as number[])
}
const adapters = ['first', 'second', 'third', 'wide']
const flags = (model = 'model', file = 'named.jsonl'): string[] => [
  ...['predict', '--model', model, '--data', file, '--task', 'sequence-classification', '--adapter-column', 'lang'],
  ...adapters.flatMap((name) => ['--adapter', `${name}=${name}/adapter`]),
]

test('each row is answered by the adapter it names, or by the model alone, in the order of the rows', async () => {
  await runs
  const expected = new Map<string | null, number[][]>([[null, await alone(null)]])
  for (const name of adapters) expected.set(name, await alone(`${name}/adapter`))
  const wanted = rows.flatMap((_, i) => expected.get(adapters.includes(nameOf(i)!) ? nameOf(i) : null)![i]!)
  assertNear(logitsIn(eventsOf(await succeed([...flags(), '--logits'], folder))), wanted, 1e-5)

  const model = await openAdapters({ model: at('model'), task: 'sequence-classification' })
  for (const name of adapters) model.load(name, at(`${name}/adapter`))
  model.use('wide')
  const asked = rows.map((_, i) => (adapters.includes(nameOf(i)!) ? nameOf(i) : null))
  const questions = rows.map(({ input_ids }) => ({ input_ids }))
  assertNear(logitsIn(await model.predict(questions, { logits: true, adapters: asked })), wanted, 1e-5)
  assert.equal(model.sessions, 4)
  // What is in use stays in use.
  assertNear(logitsIn(await model.predict(questions, { logits: true })), expected.get('wide')!.flat(), 1e-5)
  await assert.rejects(model.predict(questions, { adapters: ['first'] }), /1 name\(s\) of adapters for 24 questions/)
  await assert.rejects(
    model.predict(questions.slice(0, 2), { adapters: ['first', 'secnd'] }),
    /question:2: There is no adapter "secnd"; loaded are first, second, third, wide\. Did you mean "second"/,
  )
  await model.close()
})

const lines = (...langs: unknown[]): string =>
  jsonLines(langs.map((lang) => ({ text: 'A film.', label: 'no', ...(lang !== undefined && { lang }) })))
const wrong: readonly (readonly [string, string, string[], RegExp])[] = [
  [
    'an unknown name',
    lines('first', 'frist'),
    flags('model', 'wrong.jsonl'),
    /wrong\.jsonl:2: There is no adapter "frist"; .*Did you mean "first"/,
  ],
  ['a row without the column', lines('first', undefined), flags('model', 'wrong.jsonl'), /wrong\.jsonl:2: no column "lang"/],
  ['the base of a model without a head', lines('first', ''), flags('bare', 'wrong.jsonl'), /wrong\.jsonl:2: bare has no head/],
  ['an adapter without a name', lines('first'), [...flags('model', 'wrong.jsonl'), '--adapter', 'first/adapter'], /expected name=folder/],
  [
    'a name twice',
    lines('first'),
    [...flags('model', 'wrong.jsonl'), '--adapter', 'first=second/adapter'],
    /There is an adapter "first" already/,
  ],
  ['a column and a stack', lines('first'), [...flags('model', 'wrong.jsonl'), '--stack'], /Give --adapter-column or --stack, not both/],
  ['a route', lines('first'), [...flags('model', 'wrong.jsonl'), '--inference', 'random'], /--inference random is for one adapter/],
  ['a column of a text', '', [...flags('model', 'wrong.jsonl'), '--text', 'A film.'], /--adapter-column is of the rows of a file/],
  [
    'two adapters without a word',
    '',
    ['predict', '--model', 'model', '--adapter', 'a', '--adapter', 'b', '--text', 'a'],
    /There are 2 adapters: give/,
  ],
  [
    'a stack of LoRA',
    '',
    ['predict', '--model', 'model', '--adapter', 'first/adapter', '--adapter', 'third/adapter', '--stack', '--text', 'a'],
    /first\/adapter is lora, which cannot be stacked/,
  ],
  ['a stack of nothing', '', ['predict', '--model', 'model', '--stack', '--text', 'a'], /A stack of no adapters/],
]
for (const [name, content, args, says] of wrong) {
  test(`${name} is refused`, async () => {
    await runs
    writeFileSync(at('wrong.jsonl'), content)
    const { code, stderr } = await command(args, folder)
    assert.match(stderr, says)
    assert.equal(code, 2)
  })
}

test('in a stack an adapter that adds nothing leaves the other as it is, below and above; else the order counts', async () => {
  await runs
  const model = await openAdapters({ model: at('model'), task: 'sequence-classification' })
  const where = { idle: 'idle', third: 'third/adapter', fourth: 'fourth/adapter', headless: 'headless' }
  for (const [name, path] of Object.entries(where)) model.load(name, at(path))
  const questions = rows.map(({ input_ids }) => ({ input_ids }))
  const given = async (...stack: string[]): Promise<number[]> => {
    model.stack(stack)
    return logitsIn(await model.predict(questions, { logits: true }))
  }
  const only = (await alone('fourth/adapter')).flat()
  assertNear(await given('fourth'), only, 1e-5)
  assertNear(await given('idle', 'fourth'), only, 1e-5)
  // The idle one has the third's head, so that what it leaves of the third is all of it.
  assertNear(await given('idle', 'third'), (await alone('third/adapter')).flat(), 1e-5)
  const below = await given('fourth', 'third')
  assertNear(await given('headless', 'third'), below, 0)
  const apart = (a: number[], b: number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))
  // The same three under the same head in another order.
  assert.ok(apart(await given('fourth', 'third', 'idle'), await given('third', 'fourth', 'idle')) > 1e-3)
  const told = await succeed(
    ['predict', '--model', 'model', '--adapter', 'headless', '--adapter', 'third/adapter', '--stack', '--data', 'eval.jsonl', '--logits'],
    folder,
  )
  assertNear(logitsIn(eventsOf(told)), below, 1e-6)
  await model.close()
})

test('what is odd about an adapter below another is told, too', async () => {
  await runs
  cpSync(at('headless'), at('odd'), { recursive: true })
  const file = join(at('odd'), 'adapter.safetensors')
  const tensors = [...readHeader(file).tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }] as const)
  writeSafetensors(file, [...tensors, ['stray.weight', { shape: [1], data: new Float32Array(1) }]])
  const told: string[] = []
  const model = await openAdapters({ model: at('model'), notice: (text) => told.push(text) })
  model.load('odd', at('odd'))
  model.load('top', at('third/adapter'))
  model.stack(['odd', 'top'])
  await model.close()
  assert.match(told.join(), /^[^,]*odd\S*adapter\.safetensors also holds the tensor "stray\.weight"/)
})
