import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command, type DataRow, jsonLines, projectFolder, readJson, repository, succeed, writeRun } from './project.ts'

const folder = projectFolder()
/** One of two to four choices praises. */
const questions = (count: number): DataRow[] =>
  Array.from({ length: count }, (_, i) => {
    const size = 2 + (i % 3)
    const right = (i * 7) % size
    const choices = Array.from({ length: size }, (_, k) => (k === right ? ['good', 'fine'][i % 2] : ['bad', 'dull', 'not'][(k + i) % 3]))
    return { id: `q${i}`, question: 'The film was', choices, label: right }
  })
const letters = 'ABCD'
/** The same with letters, as ARC has them. */
const lettered = questions(24).map(({ choices, label, ...rest }) => ({
  ...rest,
  choices: { text: choices, label: (choices as string[]).map((_, i) => letters[i]) },
  answerKey: letters[label as number],
}))
const asked = ['--model', 'model', '--adapter', 'run/adapter']
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

before(async () => {
  writeFileSync(join(folder, 'train.jsonl'), jsonLines(questions(24)))
  writeFileSync(join(folder, 'lettered.jsonl'), jsonLines(lettered))
  writeRun(folder, 'run.yaml', {
    task: 'multiple-choice',
    method: { name: 'lora', r: 4, targets: 'all-linear' },
    data: { train: 'train.jsonl', eval: 'lettered.jsonl', labels: null },
    train: { steps: 40, batchSize: 12, learningRate: 0.02, evalEvery: 20 },
  })
  await succeed(['train', 'run.yaml', '--out', 'run', '--quiet'], folder)
})

test('a run learns which choice is right, and its adapter knows the task', async () => {
  const metrics = readJson(folder, 'run', 'metrics.json')
  assert.ok(Number(metrics.accuracy) >= 0.9, JSON.stringify(metrics))
  const again = JSON.parse(await succeed(['eval', ...asked, '--data', 'train.jsonl'], folder))
  assert.ok(Math.abs(again.accuracy - Number(metrics.accuracy)) < 1e-9)
  assert.ok(Math.abs(again.loss - Number(metrics.loss)) < 1e-4)
  assert.ok(again.calibrationError >= 0)
})

test('answers name the choice, its text, and the probability of each', async () => {
  const answers = lines(await succeed(['predict', ...asked, '--data', 'lettered.jsonl'], folder))
  answers.forEach(({ id, label, answer, scores }, i) => {
    const { text, label: names } = lettered[i]!.choices as { text: string[]; label: string[] }
    assert.equal(id, `q${i}`)
    assert.deepEqual(Object.keys(scores as object), names)
    const each = Object.values(scores as Record<string, number>)
    assert.ok(Math.abs(each.reduce((sum, score) => sum + score, 0) - 1) < 1e-6)
    const best = each.indexOf(Math.max(...each))
    assert.deepEqual([label, answer], [names[best], text[best]])
  })
  const raw = lines(await succeed(['predict', ...asked, '--data', 'lettered.jsonl', '--logits'], folder))
  assert.deepEqual(
    raw.map(({ logits }) => (logits as number[]).length),
    lettered.map(({ choices }) => (choices.text as string[]).length),
  )
})

test('columns of one choice each, some empty, in a file of commas', async () => {
  const rows = questions(6).map(({ question, choices, label }) => [
    question,
    ...[0, 1, 2, 3].map((i) => (choices as string[])[i] ?? ''),
    label,
  ])
  writeFileSync(join(folder, 'rows.csv'), ['q,a,b,c,d,right', ...rows.map((row) => row.join(','))].join('\n'))
  const choices = ['a', 'b', 'c', 'd'].flatMap((name) => ['--choices-column', name])
  const flags = ['--data', 'rows.csv', '--text-column', 'q', '--label-column', 'right', ...choices]
  const { accuracy } = JSON.parse(await succeed(['eval', ...asked, ...flags], folder))
  writeFileSync(join(folder, 'six.jsonl'), jsonLines(questions(6)))
  assert.equal(accuracy, JSON.parse(await succeed(['eval', ...asked, '--data', 'six.jsonl'], folder)).accuracy)
})

test('a dry run counts questions as examples and their choices as rows', async () => {
  const text = await succeed(['train', 'run.yaml', '--dry-run'], folder)
  assert.match(text, /24 examples/)
  assert.match(text, /48 rows/)
})

test('parquet gives the answers that the same rows in JSON lines give', async () => {
  const flags = ['--text-column', 'text', '--choices-column', 'choices']
  const [parquet, json] = await Promise.all(
    ['snappy.parquet', 'rows.jsonl'].map((name) =>
      succeed(['predict', ...asked, ...flags, '--data', join(repository, 'test/golden/parquet', name)], folder),
    ),
  )
  assert.equal(parquet, json)
  assert.equal(lines(parquet!).length, 7)
})

test('a mixture trains on pairs of passes, merges into a model, and that model answers alike', async () => {
  writeRun(folder, 'mixture.yaml', {
    task: 'multiple-choice',
    method: { name: 'adamix', of: { name: 'bottleneck', size: 4 }, experts: 2 },
    data: { train: 'train.jsonl', eval: null, labels: null },
    train: { steps: 4, batchSize: 8, learningRate: 0.01 },
  })
  await succeed(['train', 'mixture.yaml', '--out', 'mixture', '--quiet'], folder)
  const steps = readFileSync(join(folder, 'mixture/run.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === 'step')
  assert.ok(steps.every(({ consistency }) => consistency > 0 && Number.isFinite(consistency)))
  await succeed(['merge', ...asked, '--out', 'merged'], folder)
  const alone = lines(await succeed(['predict', '--model', 'merged', '--data', 'six.jsonl'], folder))
  const adapted = lines(await succeed(['predict', ...asked, '--data', 'six.jsonl'], folder))
  assert.deepEqual(
    alone.map(({ label }) => label),
    adapted.map(({ label }) => label),
  )
  assert.deepEqual(readJson(folder, 'merged', 'config.json').architectures, ['BertForMultipleChoice'])
})

const [first, ...rest] = questions(4)
for (const [what, row, says] of [
  ['a label outside of the choices', { ...first, label: 2 }, /bad\.jsonl:1: "label" is 2; the row's choices are 0, 1/],
  ['one choice', { ...first, choices: ['good'] }, /bad\.jsonl:1: "choices" has 1 choices; expected two or more/],
  ['no label', { ...first, label: undefined }, /bad\.jsonl:1: no column "label"/],
  ['tokens of one row', { input_ids: [2, 4, 3], label: 0 }, /bad\.jsonl:1: "input_ids" is \[2,4,3\]; expected two lists or more/],
  [
    'a mask of other choices',
    { input_ids: [[2], [3]], attention_mask: [[1]], label: 0 },
    /bad\.jsonl:1: "attention_mask" is \[\[1\]\]; expected two lists or more, one for each choice/,
  ],
] as const) {
  test(`refuses ${what}`, async () => {
    writeFileSync(join(folder, 'bad.jsonl'), jsonLines([row, ...rest]))
    const { code, stderr } = await command(['eval', ...asked, '--data', 'bad.jsonl'], folder)
    assert.equal(code, 2)
    assert.match(stderr, says)
  })
}

test('refuses a choices column without a text column, and a model without such a head', async () => {
  const lone = await command(['eval', ...asked, '--data', 'train.jsonl', '--choices-column', 'choices'], folder)
  assert.match(lone.stderr, /--choices-column needs --text-column/)
  const gpt2 = { model_type: 'gpt2', n_embd: 16, n_layer: 1, n_head: 2, n_positions: 24, vocab_size: 40 }
  mkdirSync(join(folder, 'gpt2'))
  writeFileSync(join(folder, 'gpt2/config.json'), JSON.stringify(gpt2))
  const other = await command(['inspect', '--model', 'gpt2', '--task', 'multiple-choice'], folder)
  assert.match(other.stderr, /gpt2 has no head for multiple-choice; it has causal-lm, /)
})
