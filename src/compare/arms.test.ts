import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { armsOf, referencesOf } from './arms.ts'
import { parseComparison, readComparison } from './comparison-file.ts'

const run = { model: 'm', task: 'sequence-classification', data: { train: 't.jsonl', eval: 'e.jsonl' } }
const arms = (axes: Record<string, unknown>, rest: object = {}) => armsOf(parseComparison({ run, axes, ...rest }, 'test'))

test('axes are multiplied out, the first one slowest; methods without a setting are there once', () => {
  const all = arms({
    method: { plain: 'lora', ada: { name: 'adalora', initR: 6 }, whole: 'full' },
    'method.budget': ['0.1%', '0.2%'],
    'train.seed': [7, 8],
  })
  assert.deepEqual(
    all.arms.map(({ name }) => name),
    ['plain, budget 0.1%', 'plain, budget 0.2%', 'ada, budget 0.1%', 'ada, budget 0.2%', 'whole'],
  )
  assert.deepEqual(all.seeds, [7, 8])
  assert.deepEqual(all.plain, { axis: 'method', value: 'plain' })
  const [, , third] = all.arms
  assert.ok(third!.run.method.name === 'adalora' && third!.run.method.initR === 6 && third!.run.method.budget === '0.1%')
  assert.deepEqual(
    all.arms.map((arm) => referencesOf(arm, all).map(({ name }) => name)),
    [[], [], ['plain, budget 0.1%'], ['plain, budget 0.2%'], ['plain, budget 0.1%', 'plain, budget 0.2%']],
  )
})

test('the number of arms is the product of the axes', () => {
  const rates = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(rates, rates, (epochs, sizes) => {
      const { arms: all } = arms({ 'train.epochs': epochs, 'train.batchSize': sizes })
      assert.equal(all.length, epochs.length * sizes.length)
      assert.equal(new Set(all.map(({ name }) => name)).size, all.length)
      for (const { run: own } of all) assert.ok(epochs.includes(own.train.epochs) && sizes.includes(own.train.batchSize))
    }),
    { numRuns: 30 },
  )
})

test('an axis of settings changes several at once', () => {
  const { arms: all } = arms({ settings: { short: { 'train.epochs': 1 }, long: { 'train.epochs': 4, method: { name: 'ia3' } } } })
  assert.deepEqual(
    all.map(({ name, run: own }) => [name, own.train.epochs, own.method.name]),
    [
      ['short', 1, 'lora'],
      ['long', 4, 'ia3'],
    ],
  )
})

test('lists of methods are told apart by what differs', () => {
  const { arms: all } = arms({ method: ['bitfit', { name: 'lora', r: 4 }, { name: 'lora', r: 8 }] })
  assert.deepEqual(
    all.map(({ name }) => name),
    ['bitfit', 'lora r 4', 'lora r 8'],
  )
})

const says = (work: () => unknown, expected: RegExp): void =>
  assert.throws(work, (error) => {
    assert.ok(error instanceof UserError, String(error))
    assert.match(error.message, expected)
    return true
  })

test('what cannot be an arm is refused', () => {
  says(() => arms({ method: ['lora', 'lora'] }), /axes.method: "lora" is there twice; give the values names/)
  says(
    () => arms({ method: ['lora', 'bitfit'] }, { plain: 'bitfi' }),
    /plain: no axis has "bitfi"; there are lora, bitfit\. Did you mean "bitfit"\?/,
  )
  says(() => arms({ 'train.seed': [1, -1] }), /-1 is no seed/)
  says(() => arms({ 'train.seed': [1, 1] }), /each seed must be there once/)
  says(() => arms({ 'method.bugdet': [1] }), /"method.bugdet" is not known. Did you mean "budget"/)
})

test('no axis changes which rows are answered, whatever way it is written', () => {
  const changes = (key: string, axes: Record<string, unknown>, base: object = {}): void =>
    says(
      () => arms(axes, { run: { ...run, ...base } }),
      new RegExp(`^test: "b" changes ${key.replaceAll('.', '\\.')}, which no axis can: all trials answer the same rows\\.$`),
    )
  changes('data.eval', { 'data.eval': { a: 'e.jsonl', b: 'other.jsonl' } })
  changes('data.eval', { settings: { a: {}, b: { 'data.eval': 'other.jsonl' } } })
  changes('data.eval', { settings: { a: {}, b: { data: { train: 't.jsonl' } } } })
  changes('data.eval', { data: { a: run.data, b: { ...run.data, eval: { dev: 'e.jsonl' } } } })
  changes('task', { settings: { a: {}, b: { task: 'token-classification' } } })
  changes('data.columns', { settings: { a: {}, b: { 'data.columns': { text: 'other' } } } })
  changes('data.columns', { 'data.columns.text': { a: 'x', b: 'y' } }, { data: { ...run.data, columns: { text: 'x' } } })
  changes('data.rows.eval', { 'data.rows': { a: { eval: 5 }, b: { train: 9 } } }, { data: { ...run.data, rows: { eval: 5 } } })
  changes('generate.rows', { settings: { a: {}, b: { 'generate.rows': 5 } } }, { generate: { metric: 'bleu' } })
})

test('no axis has what another place has', () => {
  says(() => arms({ settings: { a: {}, b: { 'train.seeds': [1, 2] } } }), /"b" changes train\.seeds, .*: give seeds as axes\.train\.seed/)
  says(() => arms({ settings: { b: { train: { seed: 7 } } } }), /"b" changes train\.seed, .*: give seeds as axes\.train\.seed/)
  says(() => arms({}, { run: { ...run, train: { seeds: [1, 2] } } }), /give seeds as axes\.train\.seed/)
  says(() => arms({ out: ['x', 'y'] }), /"x" changes out, which no axis can: trials have folders of their own/)
})

test('an axis may write again what all arms share', () => {
  const { arms: all } = arms({
    data: { few: { ...run.data, rows: { train: 9 } }, many: { ...run.data, test: null } },
    settings: { a: { task: run.task } },
  })
  assert.deepEqual(
    all.map(({ run: { data } }) => [data.eval, data.rows?.train]),
    [
      ['e.jsonl', 9],
      ['e.jsonl', undefined],
    ],
  )
})

test('faults have the place where they were written: in the axis, in the comparison, in the run file that it starts from', () => {
  const folder = temporaryFolder()
  const [file, base] = [join(folder, 'compare.yaml'), join(folder, 'run.yaml')]
  const read = (text: string, settings: readonly string[] = []) => {
    writeFileSync(file, text)
    return armsOf(readComparison(file, { settings }))
  }
  const inline = `run:\n  model: m\n  task: sequence-classification\n  data: { train: t }\n  train:\n    epochs: 3\n`
  says(
    () => read(`${inline}axes:\n  train.batchSize: [8]\n  method: [lora, adalroa]\n`),
    /compare\.yaml:9: .*"adalroa".*Did you mean "adalora"/,
  )
  says(() => read(inline.replace('epochs: 3', 'epoch: 3')), /"axes" is missing/)
  says(
    () => read(`${inline.replace('epochs: 3', 'epoch: 3')}axes: {}\n`),
    /compare\.yaml:6: the key "train.epoch" is not known. Did you mean "epochs"/,
  )
  says(() => read(`${inline}axes: {}\nmatsh: weights\n`), /compare\.yaml:8: the key "matsh" is not known\. Did you mean "match"/)
  says(() => read(`${inline}axes: {}\n`, ['run.train.epochs=many']), /--set run.train.epochs=many: "train.epochs" is "many"/)
  writeFileSync(base, 'model: m\ntask: sequence-classification\ndata: { train: t }\ntrain: { epochs: 2, batchSize: none }\n')
  says(() => read(`from: ${base}\naxes: {}\n`), /run\.yaml:4: "train.batchSize" is "none"/)
  const [arm] = read(`from: ${base}\nrun: { train: { batchSize: 16 } }\naxes: {}\n`).arms
  assert.deepEqual([arm!.run.train.batchSize, arm!.run.train.epochs, arm!.run.data.train], [16, 2, 't'])
})
