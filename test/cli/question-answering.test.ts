import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command, type DataRow, jsonLines, projectFolder, readJson, succeed, writeRun } from './project.ts'

const folder = projectFolder()
const judgements = ['good', 'bad', 'fine', 'dull']

/** Contexts longer than a window, of which one sentence says what a film is; some questions have no answer. */
function questions(count: number, unanswered: boolean): DataRow[] {
  return Array.from({ length: count }, (_, i) => {
    const judgement = judgements[i % 4]!
    const filling = (sentences: number): string => 'The play is not a film. '.repeat(sentences)
    const said = unanswered && i % 3 === 0 ? 'The play was very dull.' : `The film was ${judgement}.`
    const context = `${filling(i % 5)}${said} ${filling(4 - (i % 5))}`
    const start = context.indexOf(`film was ${judgement}`) + 'film was '.length
    const answers = said.includes('film') ? { text: [judgement], answer_start: [start] } : { text: [], answer_start: [] }
    return { id: `q${i}`, question: 'The film was', context, answers }
  })
}
const windows = { maxLength: 24, spans: { docStride: 6, maxAnswerLength: 3 } }
const run = (name: string, data: object): void =>
  writeRun(folder, name, {
    task: 'question-answering',
    method: { name: 'lora', r: 4, targets: 'all-linear' },
    data: { ...windows, ...data },
    train: { steps: 12, batchSize: 16, learningRate: 0.02, evalEvery: 6 },
  })

before(async () => {
  writeFileSync(join(folder, 'v1.jsonl'), jsonLines(questions(24, false)))
  writeFileSync(join(folder, 'v2.jsonl'), jsonLines(questions(24, true)))
  run('v1.yaml', { train: 'v1.jsonl', eval: 'v1.jsonl' })
  run('v2.yaml', { train: 'v2.jsonl', eval: 'v2.jsonl' })
  await succeed(['train', 'v1.yaml', '--out', 'v1', '--quiet'], folder)
  await succeed(['train', 'v2.yaml', '--out', 'v2', '--quiet'], folder)
})

const asked = (name: string): string[] => ['--model', 'model', '--adapter', `${name}/adapter`]
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('a run trains on windows, and judges and answers questions', async () => {
  const rows = questions(24, false) as { id: string; context: string }[]
  const record = readFileSync(join(folder, 'v1/run.jsonl'), 'utf8')
  const { examples } = JSON.parse(record.split('\n')[0]!)
  assert.ok(examples > rows.length, `${examples} windows of ${rows.length} rows`)
  const metrics = readJson(folder, 'v1', 'metrics.json')
  const again = JSON.parse(await succeed(['eval', ...asked('v1'), '--data', 'v1.jsonl'], folder))
  for (const name of ['exact', 'f1', 'loss']) assert.ok(Math.abs(again[name] - Number(metrics[name])) < 1e-4, name)
  assert.ok(!('NoAns_f1' in again))
  const answers = lines(await succeed(['predict', ...asked('v1'), '--data', 'v1.jsonl'], folder))
  answers.forEach(({ id, answer, start, end, score }, i) => {
    assert.equal(id, rows[i]!.id)
    assert.equal(answer, rows[i]!.context.slice(start as number, end as number))
    assert.ok(answer !== '' && (score as number) > 0 && (score as number) <= 1)
  })
})

test('learning lowers the loss of answers', () => {
  const evaluations = readFileSync(join(folder, 'v1/run.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === 'eval' || event === 'step')
  const first = evaluations.find(({ event }) => event === 'step')
  assert.ok(evaluations.at(-1).loss < 0.8 * first.loss, `${first.loss} to ${evaluations.at(-1).loss}`)
})

test('questions without an answer: figures for both kinds, and the threshold that was best is the adapter’s', async () => {
  const metrics = readJson(folder, 'v2', 'metrics.json') as Record<string, number>
  const { spans } = readJson(folder, 'v2', 'adapter', 'adatune.json').reading as { spans: Record<string, unknown> }
  assert.equal(spans.unanswerable, true)
  assert.equal(spans.nullThreshold, metrics.best_f1_thresh)
  assert.equal(metrics.HasAns_total! + metrics.NoAns_total!, 24)
  const again = JSON.parse(await succeed(['eval', ...asked('v2'), '--data', 'v2.jsonl'], folder))
  if (metrics.best_f1_thresh !== 0) assert.ok(Math.abs(again.f1 - metrics.best_f1!) < 1e-6)
  const predict = ['predict', ...asked('v2'), '--data', 'v2.jsonl', '--span']
  const [never, always] = [
    lines(await succeed([...predict, 'nullThreshold=1e9'], folder)),
    lines(await succeed([...predict, 'nullThreshold=-1e9'], folder)),
  ]
  assert.ok(never.every(({ answer }) => answer !== ''))
  assert.ok(always.every(({ answer, start, end }) => answer === '' && start === null && end === null))
})

test('a question on the command line, raw scores, and a file in SQuAD’s own form', async () => {
  const text = ['--text', 'The film was', 'The play is dull. The film was good.']
  const [answer] = lines(await succeed(['predict', ...asked('v1'), ...text], folder))
  assert.deepEqual(Object.keys(answer!), ['answer', 'score', 'start', 'end'])
  assert.ok(text[2]!.includes(answer!.answer as string))
  const [raw] = lines(await succeed(['predict', ...asked('v1'), '--data', 'v1.jsonl', '--logits'], folder))
  const shown = raw!.windows as { start_logits: number[]; end_logits: number[]; contextStart: number; characters: number[][] }[]
  assert.ok(shown.length > 1)
  for (const window of shown) assert.equal(window.start_logits.length, window.contextStart + window.characters.length + 1)
  const nested = questions(24, true).map(({ context, ...qa }) => {
    const { text, answer_start } = qa.answers as { text: string[]; answer_start: number[] }
    return { context, qas: [{ ...qa, answers: text.map((answer, i) => ({ text: answer, answer_start: answer_start[i] })) }] }
  })
  writeFileSync(join(folder, 'nested.json'), JSON.stringify({ version: 'v2.0', data: [{ title: 'Films', paragraphs: nested }] }))
  const evaluate = async (file: string): Promise<string> => succeed(['eval', ...asked('v2'), '--data', file], folder)
  assert.equal(await evaluate('nested.json'), await evaluate('v2.jsonl'))
})

test('a merged model answers as the adapter does, by its windows and its threshold', async () => {
  for (const name of ['v1', 'v2']) {
    await succeed(['merge', ...asked(name), '--out', `${name}-merged`], folder)
    const answers = async (...from: string[]): Promise<unknown[]> =>
      lines(await succeed(['predict', ...from, '--data', 'v2.jsonl'], folder)).map(({ answer }) => answer)
    const [whole, adapter] = [await answers('--model', `${name}-merged`), await answers(...asked(name))]
    // The threshold is what one of the rows scored: there rounding may decide.
    assert.ok(whole.filter((answer, i) => answer !== adapter[i]).length <= (name === 'v1' ? 0 : 1), JSON.stringify([whole, adapter]))
    if (name === 'v2') assert.notDeepEqual(await answers(...asked(name), '--span', 'nullThreshold=0'), adapter)
  }
})

test('columns by other names', async () => {
  const renamed = questions(4, false).map(({ id, question, context, answers }) => ({ key: id, q: question, text: context, gold: answers }))
  writeFileSync(join(folder, 'renamed.jsonl'), jsonLines(renamed))
  const flags = ['--data', 'renamed.jsonl', '--text-column', 'q', '--pair-column', 'text', '--label-column', 'gold', '--id-column', 'key']
  assert.ok(JSON.parse(await succeed(['eval', ...asked('v1'), ...flags], folder)).f1 >= 0)
  assert.equal(lines(await succeed(['predict', ...asked('v1'), ...flags], folder))[3]!.id, 'q3')
})

for (const [args, says] of [
  [['--text', 'Who?'], /an answer needs a question and a context/],
  [['--data', 'v1.jsonl', '--span', 'nbest=3'], /--span: the key "nbest" is not known\. Did you mean "nBest"/],
  [
    ['--data', 'v1.jsonl', '--span', 'docStride=23'],
    /v1\.jsonl:1: beside a question of 3 tokens, 24 tokens leave 18 for the context, and docStride is 23/,
  ],
] as const) {
  test(`refuses ${args.join(' ')}`, async () => {
    const { code, stderr } = await command(['predict', ...asked('v1'), ...args], folder)
    assert.equal(code, 2)
    assert.match(stderr, says)
  })
}
