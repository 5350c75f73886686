import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command, jsonLines, projectFolder, readJson, succeed, textRows, writeRun } from './project.ts'

const folder = projectFolder()
before(async () => {
  const rows = textRows(24, 'remembering').map(({ text, label }) => ({ said: text, verdict: label }))
  writeFileSync(join(folder, 'said.jsonl'), jsonLines(rows))
  const columns = { text: 'said', label: 'verdict' }
  writeRun(folder, 'said.yaml', { data: { train: 'said.jsonl', eval: 'said.jsonl', columns, maxLength: 4 }, train: { evalEvery: 4 } })
  await succeed(['train', 'said.yaml', '--out', 'run', '--quiet'], folder)
})

test('an adapter is asked as it was trained: columns and truncation', async () => {
  const asked = JSON.parse(await succeed(['eval', '--model', 'model', '--adapter', 'run/adapter', '--data', 'said.jsonl'], folder))
  const measured = readJson(folder, 'run', 'metrics.json')
  assert.ok(Math.abs(asked.loss - Number(measured.loss)) < 1e-6, `${asked.loss}, in the run ${measured.loss}`)
  const longer = ['eval', '--model', 'model', '--adapter', 'run/adapter', '--data', 'said.jsonl', '--max-length', '20']
  assert.notEqual(JSON.parse(await succeed(longer, folder)).loss, asked.loss)
})

test('a merged folder tells its task, and how its rows were read', async () => {
  await succeed(['merge', '--model', 'model', '--adapter', 'run/adapter', '--out', 'merged'], folder)
  const asked = JSON.parse(await succeed(['eval', '--model', 'merged', '--data', 'said.jsonl'], folder))
  const measured = readJson(folder, 'run', 'metrics.json')
  assert.ok(Math.abs(asked.loss - Number(measured.loss)) < 1e-5, `${asked.loss}, in the run ${measured.loss}`)
  assert.match(await succeed(['predict', '--model', 'merged', '--text', 'The film was good.'], folder), /^\{"label":"(good|bad)"/)
})

test('one target or several with commas between may be written as text', async () => {
  for (const [targets, count] of [
    ['query', 2],
    ['query,up', 4],
  ] as const) {
    const text = await succeed(['inspect', '--model', 'model', '--method', 'lora', '--set', `method.targets=${targets}`, '--json'], folder)
    const modules = JSON.parse(text).method.modules as { count: number }[]
    assert.equal(
      modules.reduce((sum, module) => sum + module.count, 0),
      count,
      targets,
    )
  }
})

test('a fault of --set is told with it, not with the file', async () => {
  const { code, stderr } = await command(['train', 'said.yaml', '--set', 'train.epoch=2', '--out', 'other'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /^adatune: --set train\.epoch=2: the key "train\.epoch" is not known\. Did you mean "epochs"/)
})

test('a label column without a text column is refused', async () => {
  const { code, stderr } = await command(['eval', '--model', 'model', '--data', 'said.jsonl', '--label-column', 'verdict'], folder)
  assert.equal(code, 2)
  assert.match(stderr, /--label-column needs --text-column/)
})
