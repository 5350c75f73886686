import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRows } from '../../src/data/read-rows.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { command, eventsOf, jsonLines, projectFolder, readJson, recordOf, succeed, textRows, tokenRows, writeRun } from './project.ts'

const folder = projectFolder()
const at = (...path: string[]): string => join(folder, ...path)
const method = {
  name: 'adamix',
  of: { name: 'lora', r: 4, targets: 'all-linear' },
  experts: 2,
  share: [],
  consistency: 0,
  draws: 'coupled',
}

async function trained(name: string, settings: Parameters<typeof writeRun>[2]): Promise<void> {
  writeRun(folder, `${name}.yaml`, { method, ...settings })
  const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name, '--quiet'], folder)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
}
const said = (run: string, event: string) => eventsOf(recordOf(at(run))).filter((each) => each.event === event)

interface Merge {
  readonly rows: number
  readonly merged: Record<string, number>
  readonly members: readonly Record<string, number>[]
}
const mergeOf = (run: string): Merge => said(run, 'merge')[0] as unknown as Merge

/** What a run kept scores on its rows by each way to answer. */
async function losses(run: string, data: string): Promise<number[]> {
  const all: number[] = []
  for (const inference of ['merged', 'expert:0', 'expert:1']) {
    const predictor = await openPredictor({ model: at('model'), adapter: at(run, 'adapter'), inference })
    all.push((await predictor.evaluate(await readRows(at(data)))).loss!)
    await predictor.close()
  }
  return all
}

/** The opposite factors have the same product, and a mean of nothing; the labels are what each of these experts says. */
async function opposed(run: string): Promise<void> {
  const file = at(run, 'experts.safetensors')
  const { tensors: entries, metadata } = readHeader(file)
  const tensors = new Map([...entries].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }]))
  for (const [name, { data }] of tensors) {
    const first = tensors.get(name.replace('.1.weight', '.0.weight'))!
    if (name.endsWith('.0.weight')) data.set(data.map((_, i) => Math.sin(1 + i * 7.3 + name.length)))
    else if (name.endsWith('.1.weight')) data.set(first.data.map((value) => -value))
    else if (name === 'classifier.weight') data.set(data.map((value) => 200 * value))
  }
  writeSafetensors(file, [...tensors], Object.fromEntries(metadata))
  const predictor = await openPredictor({ model: at('model'), adapter: at(run, 'adapter'), inference: 'expert:0' })
  const rows = tokenRows(40, 'opposed')
  const answers = await predictor.predict(rows)
  await predictor.close()
  writeFileSync(at('opposed.jsonl'), jsonLines(rows.map((row, i) => ({ ...row, label: answers[i]!.label }))))
}

test('a run tells what merging did to the loss, on its evaluation rows or on those it trained on', async () => {
  await trained('plain', { method: { name: 'lora', r: 2 } })
  assert.deepEqual([said('plain', 'merge'), said('plain', 'warning')], [[], []])
  for (const [name, evaluation, rows] of [
    ['mixed', 'eval.jsonl', 24],
    ['blind', null, 48],
  ] as const) {
    await trained(name, { data: { eval: evaluation }, train: { steps: 20, learningRate: 0.02 } })
    const { rows: counted, merged, members } = mergeOf(name)
    assert.equal(counted, rows)
    const given = [merged, ...members].map(({ loss }) => loss!)
    assertNear(given, await losses(name, evaluation ?? 'train.jsonl'), 1e-5)
    assert.ok(new Set(given.map((loss) => loss.toFixed(5))).size === 3, given.join())
    assert.deepEqual(said(name, 'warning'), [])
  }
})

test('experts whose mean forgets what each of them knows are warned of, once and with what to do', async () => {
  await trained('first', { train: { steps: 2 } })
  await opposed('first')
  const data = { train: 'opposed.jsonl', eval: 'opposed.jsonl' }
  await trained('collapsed', { adapter: 'first/experts.safetensors', data, train: { steps: 1, learningRate: 1e-7 } })
  const { merged, members } = mergeOf('collapsed')
  assert.ok(members.every(({ accuracy }) => accuracy === 1) && merged.accuracy! < 1, JSON.stringify([merged, members]))
  const warnings = said('collapsed', 'warning').map(({ message }) => String(message))
  assert.equal(warnings.length, 1, warnings.join('\n'))
  assert.match(
    warnings[0]!,
    /^The mean of the experts has loss \S+ on 40 rows, alone \S+( to \S+)?: .*Raise method\.consistency .*--inference ensemble:N\.$/,
  )
  const flags = ['--model', 'model', '--experts', 'collapsed', '--data', 'opposed.jsonl', '--report', '--rule']
  const mean = await succeed(['combine', ...flags, 'mean', '--out', 'mean'], folder)
  assert.match(mean, /^loss \S+ on 40 rows, alone \S+( to \S+)?: too unlike for this rule; try another, or --weights$/m)
  // The increments themselves are alike.
  const increments = await succeed(['combine', ...flags, 'delta-svd', '--out', 'increments'], folder)
  assert.match(increments, /^loss \S+ on 40 rows, alone \S+( to \S+)?$/m)
})

test('what merging did is kept with a run of texts, and the same when the run was stopped', async () => {
  writeFileSync(at('texts.jsonl'), jsonLines(textRows(12, 'texts')))
  writeRun(folder, 'stopped.yaml', { method, data: { train: 'texts.jsonl', eval: null }, train: { steps: 2 } })
  const shown = await succeed(['train', 'stopped.yaml', '--out', 'stopped'], folder)
  assert.match(shown, /^mean of experts +loss \S+ on 12 rows, alone \S+( to \S+)?$/m)
  const before = [mergeOf('stopped'), readJson(at('stopped'), 'metrics.json').loss]
  await succeed(['train', '--resume', 'stopped', '--quiet'], folder)
  assert.deepEqual([mergeOf('stopped'), readJson(at('stopped'), 'metrics.json').loss], before)
  assert.equal(said('stopped', 'merge').length, 1)
})
