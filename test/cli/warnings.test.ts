import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { combineAdapters } from '../../src/merging/combine.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { command, eventsOf, projectFolder, readJson, recordOf, writeRun } from './project.ts'

const folder = projectFolder()

/** An adapter as Python could leave it: of another model, with a target and tensors too many. */
const odd = (async () => {
  writeRun(folder, 'run.yaml', { train: { steps: 1 } })
  assert.equal((await command(['train', 'run.yaml', '--out', 'run', '--quiet'], folder)).code, 0)
  const adapter = join(folder, 'run/adapter')
  rmSync(join(adapter, 'adatune.json'))
  const config = readJson(adapter, 'adapter_config.json')
  const changes = { base_model_name_or_path: 'some/other', target_modules: ['query', 'value', 'q_proj'] }
  writeFileSync(join(adapter, 'adapter_config.json'), JSON.stringify({ ...config, ...changes }))
  const file = join(adapter, 'adapter_model.safetensors')
  const tensors = [...readHeader(file).tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }] as const)
  writeSafetensors(file, [...tensors, ['stray.weight', { shape: [1], data: new Float32Array(1) }]])
})()

const says = [/made for the model "some\/other".*goes by "model"/, /"q_proj" match no module/, /also holds the tensor "stray\.weight"/]

function assertSays(lines: readonly string[]): void {
  assert.equal(lines.length, says.length, lines.join('\n'))
  for (const [i, pattern] of says.entries()) assert.match(lines[i]!, pattern)
}

test('eval and predict say on stderr what is odd about an adapter, each in a sentence, unless they are to be quiet', async () => {
  await odd
  writeFileSync(join(folder, 'few.jsonl'), '{"input_ids": [3, 4], "label": "1"}\n')
  const asked = ['--model', 'model', '--adapter', 'run/adapter', '--data', 'few.jsonl']
  for (const args of [
    ['eval', ...asked],
    ['predict', ...asked, '--output', 'answers.jsonl'],
  ]) {
    const { code, stderr } = await command(args, folder)
    assert.equal(code, 0, stderr)
    assertSays(stderr.split('\n').slice(0, -1))
    assert.match(stderr, /^(adatune: [^\n]+\.\n)+$/)
    assert.deepEqual(await command([...args, '--quiet'], folder), { code: 0, stderr: '' })
  }
})

test('combine says it of each of its adapters, in TypeScript by notice', async () => {
  await odd
  const adapters = ['run/adapter', 'run/adapter']
  const flags = adapters.flatMap((adapter) => ['--adapter', adapter])
  const { code, stderr } = await command(['combine', '--model', 'model', ...flags, '--rule', 'mean', '--out', 'mean', '--json'], folder)
  assert.equal(code, 0, stderr)
  const lines = stderr.split('\n').slice(0, -1)
  assertSays(lines.slice(0, says.length))
  assertSays(lines.slice(says.length))
  const told: string[] = []
  const at = (name: string): string => join(folder, name)
  const notice = (text: string): void => void told.push(text)
  await combineAdapters({ model: at('model'), adapters: adapters.map(at), rule: 'mean', out: at('again-mean'), notice })
  assert.deepEqual(
    told.map((text) => `adatune: ${text.replaceAll(`${folder}/`, '')}`),
    lines,
  )
})

test('a run that starts from such an adapter keeps the warnings in its record', async () => {
  await odd
  writeRun(folder, 'again.yaml', { adapter: 'run/adapter', train: { steps: 1 } })
  const { code, stderr } = await command(['train', 'again.yaml', '--out', 'again', '--quiet'], folder)
  assert.deepEqual([code, stderr], [0, ''])
  assertSays(eventsOf(recordOf(join(folder, 'again'))).flatMap(({ event, message }) => (event === 'warning' ? [String(message)] : [])))
})
