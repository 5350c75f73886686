import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { readRun } from './parse.ts'

/** `NAME` in braces, as a run file has it. */
const braced = (name: string): string => `$\{${name}}`
const file = join(temporaryFolder(), 'run.yaml')
const read = (text: string, settings: readonly string[] = []) => {
  writeFileSync(file, text)
  return readRun(file, settings)
}

test('paths of a run file take variables of the environment, from --set too', () => {
  Object.assign(process.env, { TEST_ASSETS: '/assets', TEST_NAME_2: 'two' })
  const run = read(
    `model: $TEST_ASSETS/models/$TEST_NAME_2-x\ntask: regression\ndata: { train: "${braced('TEST_ASSETS')}train.jsonl" }\nout: runs/a$$TEST_ASSETS\n`,
    [`data.eval=${braced('TEST_NAME_2')}/dev.jsonl`, 'data.test={ one: $TEST_NAME_2.jsonl }'],
  )
  assert.deepEqual(
    [run.model, run.data.train, run.data.eval, run.data.test, run.out, run.adapter],
    ['/assets/models/two-x', '/assetstrain.jsonl', 'two/dev.jsonl', { one: 'two.jsonl' }, 'runs/a$TEST_ASSETS', null],
  )
})

test('a dollar sign elsewhere is one', () => {
  const run = read(
    'model: m\ntask: regression\nmethod: { name: lora, targets: ".*(query|value)$" }\ndata: { train: t, columns: { text: $TEXT } }\n',
  )
  assert.deepEqual([run.method.name === 'lora' && run.method.targets, run.data.columns?.text], ['.*(query|value)$', '$TEXT'])
})

test('a variable that is not set is an error at its place', () => {
  const says = (text: string, settings: readonly string[], expected: RegExp): void =>
    assert.throws(
      () => read(text, settings),
      (error) => error instanceof UserError && expected.test(error.message),
    )
  says(
    'task: regression\nmodel: $TEST_UNSET/m\n',
    [],
    /run\.yaml:2: "model" is "\$TEST_UNSET\/m", and the variable TEST_UNSET is not set: set it/,
  )
  delete process.env.ADATUNE_ASSETS
  says('task: regression\nmodel: $ADATUNE_ASSETS/m\n', [], /ADATUNE_ASSETS is not set: set it to a folder with models\/ and data\//)
  says('model: m\ntask: regression\n', [`data.train=${braced('TEST_UNSET')}`], /^--set data\.train=\$\{TEST_UNSET\}: "data\.train" is/)
})
