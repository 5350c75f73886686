import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseRun, runJsonSchema } from '../config/parse.ts'
import { describeTask, knownTasks } from './named-tasks.ts'

const folder = mkdtempSync(join(tmpdir(), 'adatune-tasks-'))
after(() => rmSync(folder, { recursive: true }))

test('GLUE has its nine tasks, with the numbering of its labels', () => {
  const labels = Object.fromEntries(
    knownTasks.filter((name) => name.startsWith('glue/')).map((name) => [name.slice(5), describeTask(name).labels?.join()]),
  )
  assert.deepEqual(labels, {
    cola: 'unacceptable,acceptable',
    sst2: 'negative,positive',
    mrpc: 'not_equivalent,equivalent',
    stsb: undefined,
    qqp: 'not_duplicate,duplicate',
    mnli: 'entailment,neutral,contradiction',
    qnli: 'entailment,not_entailment',
    rte: 'entailment,not_entailment',
    wnli: 'not_entailment,entailment',
  })
  assert.deepEqual(describeTask('glue/stsb').kind, 'regression')
})

test('every prompt has a word for each of its labels', () => {
  const prompts = knownTasks.filter((name) => name.startsWith('lm-bff/')).map(describeTask)
  assert.equal(prompts.length, 14)
  for (const { labels, labelWords } of prompts) {
    const words = Object.keys(labelWords!)
    assert.deepEqual([...words].sort(), [...(labels ?? words)].sort())
  }
})

test('the schema for editors knows the names, and what a task file holds', () => {
  const { properties } = runJsonSchema() as { properties: { task: { anyOf: { enum?: string[]; properties?: object }[] } } }
  const [names, , file] = properties.task.anyOf
  assert.deepEqual(names!.enum, knownTasks)
  assert.deepEqual(Object.keys(file!.properties!), ['kind', 'columns', 'labels', 'metrics', 'template', 'labelWords'])
})

const whole = "kind: prompt-classification\ntemplate: '{text} It was {mask}.'\nlabelWords: { bad: terrible, good: great }\n"
const faults: [string, string, RegExp][] = [
  ['an unknown key', whole.replace('template', 'templat'), /task\.yaml:2: the key "templat" is not known\. Did you mean "template"/],
  [
    'an unknown kind',
    whole.replace('prompt-classification', 'promt-classification'),
    /task\.yaml:1: "kind" is "promt-classification"; .*Did you mean "prompt-classification"/,
  ],
  ['an unknown metric', `${whole}metrics: [acuracy]\n`, /prompt-classification has no metric "acuracy"; it has .*Did you mean "accuracy"/],
  ['no mask', whole.replace('{mask}', 'fine'), /has no \{mask\}; it needs one/],
  ['two masks', whole.replace('was', '{mask}'), /has 2 \{mask\}/],
  ['no words', whole.replace(/labelWords.*\n/, ''), /needs a "template" and "labelWords"/],
  ['words without a template', 'kind: sequence-classification\nlabelWords: { a: b }\n', /are of the kind prompt-classification/],
  ['classes of a regression', 'kind: regression\nlabels: [a]\n', /regression has no classes/],
  ['a list', '- kind\n', /does not hold settings/],
]
for (const [what, text, says] of faults) {
  test(`a task file with ${what} is refused in a sentence`, () => {
    const file = join(folder, 'task.yaml')
    writeFileSync(file, text)
    assert.throws(() => describeTask(file), says)
  })
}

test('a run names a task, a file or describes one; other words are refused with the nearest', () => {
  const run = (task: unknown) => parseRun({ model: 'm', task, data: { train: 'a.jsonl' } }, 'run.yaml').task
  assert.equal(run('glue/rte'), 'glue/rte')
  assert.equal(run('./mine.yml'), './mine.yml')
  assert.equal((run({ kind: 'regression' }) as { kind: string }).kind, 'regression')
  assert.throws(() => run('glue/rta'), /"task" is "glue\/rta"; known are .*Did you mean "glue\/rte"/)
  assert.throws(() => run({ kind: 'regression', template: '{text} {mask}' }), /are of the kind prompt-classification/)
  assert.throws(() => run({ kind: 'regresion' }), /"task\.kind" is "regresion"; .*Did you mean "regression"/)
  assert.throws(() => describeTask('absent.yaml'), /task file absent\.yaml does not exist/)
  assert.throws(() => describeTask('prompt-classification'), /needs a "template"/)
})
