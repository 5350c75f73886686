import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameBits, disturb, prepare, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { adalora } from '../methods/adalora.ts'
import { readHeader } from '../weights/safetensors.ts'
import type { Adapter, Card } from './adapter.ts'
import { loadAdapter, saveAdapter } from './index.ts'

const card: Card = {
  task: 'sequence-classification',
  labels: ['no', 'yes', 'ü'],
  outputs: 3,
  baseModel: 'some/model',
  adapterName: null,
  totalSteps: 20,
}
const queries = ['bert.encoder.layer.0.attention.self.query', 'bert.encoder.layer.1.attention.self.query']
const refuses = (run: () => unknown, pattern: RegExp): void =>
  assert.throws(run, (error) => error instanceof UserError && pattern.test(error.message))

function made(given: Readonly<Record<string, unknown>>, memory: unknown = null) {
  const { subject, shape, state } = prepare(tinySubject(), adalora, given, { memory })
  disturb(state, /./)
  const options = adalora.options.parse({ name: adalora.name, ...given })
  const adapter: Adapter = { options, memory, state, card }
  return { adapter, subject: { model: subject.model, outline: shape } }
}

function saved(given: Readonly<Record<string, unknown>>, memory: unknown = null) {
  const parts = made(given, memory)
  const folder = join(temporaryFolder(), 'adapter')
  saveAdapter(folder, parts.adapter, parts.subject)
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>
  return { ...parts, folder, config, tensors: readHeader(join(folder, 'adapter_model.safetensors')).tensors }
}

const kept = (names: Iterable<string>): Record<string, boolean[]> =>
  Object.fromEntries([...names].map((name, i) => [name, i === 0 ? [true, false, true] : [false, false, false]]))

test('AdaLoRA keeps the final ranks alone, rank 0 among them', () => {
  const options = { initR: 3, targetR: 1, targets: ['query'], tInit: 2, tFinal: 3, deltaT: 1 }
  const memory = { kept: kept(queries), shrunk: false, ranks: null }
  const { adapter, subject, folder, config, tensors } = saved(options, memory)
  assert.deepEqual(config.rank_pattern, { [`${queries[0]}.lora_E`]: [true, false, true], [`${queries[1]}.lora_E`]: [false, false, false] })
  assert.deepEqual([config.init_r, config.r, config.total_step, config.tinit, config.tfinal], [3, 8, 20, 2, 3])
  const shapes = Object.fromEntries([...tensors].map(([name, { shape }]) => [name.replace('base_model.model.bert.encoder.', ''), shape]))
  assert.deepEqual(shapes['layer.0.attention.self.query.lora_B'], [16, 2])
  assert.deepEqual(shapes['layer.1.attention.self.query.lora_A'], [0, 16])
  assert.deepEqual(shapes['layer.1.attention.self.query.lora_B'], [16, 0])
  assert.deepEqual(shapes['layer.1.attention.self.query.lora_E'], [0, 1])
  const loaded = loadAdapter(folder, subject)
  assert.deepEqual(loaded.options, adapter.options)
  assert.deepEqual(loaded.memory, { ...memory, shrunk: true })
  const [full, b] = [adapter.state, loaded.state].map((state) => state.get(`${queries[0]}.B.weight`)!.data) as [Float32Array, Float32Array]
  assert.deepEqual([...b.slice(0, 4)], [full[0], full[2], full[3], full[5]])
  const [rows, a] = [adapter.state, loaded.state].map((state) => state.get(`${queries[0]}.A.weight`)!.data) as [Float32Array, Float32Array]
  assert.deepEqual(a.slice(16), rows.slice(32))
  assert.ok(![...loaded.state.keys()].some((name) => name.startsWith(queries[1]!)))
  const again = join(temporaryFolder(), 'again')
  saveAdapter(again, loaded, subject)
  for (const file of ['adapter_config.json', 'adapter_model.safetensors'])
    assert.ok(readFileSync(join(again, file)).equals(readFileSync(join(folder, file))), file)
})

test('AdaLoRA before its last allocation is saved whole', () => {
  const { adapter, subject, folder, config } = saved({ initR: 3, targetR: 1, targets: ['query'] })
  assert.equal(config.rank_pattern, null)
  assertSameBits(loadAdapter(folder, subject).state, adapter.state)
})

test('ranks under the names that PEFT has for a bare encoder are those of the same modules', () => {
  const { subject, folder, config } = saved(
    { initR: 3, targetR: 1, targets: ['query'] },
    { kept: kept(queries), shrunk: false, ranks: null },
  )
  const whole = loadAdapter(folder, subject)
  const bare = Object.fromEntries(Object.entries(config.rank_pattern as object).map(([name, keep]) => [name.replace('bert.', ''), keep]))
  rmSync(join(folder, 'adatune.json'))
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, rank_pattern: bare }))
  const loaded = loadAdapter(folder, subject)
  assert.deepEqual(loaded.memory, whole.memory)
  assertSameBits(loaded.state, whole.state)
})

test('ranks that do not belong to the modules are refused', () => {
  const { subject, folder, config } = saved(
    { initR: 3, targetR: 1, targets: ['query'] },
    { kept: kept(queries), shrunk: false, ranks: null },
  )
  const patterns: [unknown, RegExp][] = [
    [{ [`${queries[0]}.lora_E`]: [true, false, true] }, /lacks the module/],
    [{ ...(config.rank_pattern as object), 'bert.x.lora_E': [true] }, /names "bert\.x"/],
    [{ [`${queries[0]}.lora_E`]: [true], [`${queries[1]}.lora_E`]: [true] }, /1 entries, but "init_r" is 3/],
    [{ query: 2 }, /list of booleans/],
  ]
  rmSync(join(folder, 'adatune.json'))
  for (const [pattern, message] of patterns) {
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, rank_pattern: pattern }))
    refuses(() => loadAdapter(folder, subject), message)
  }
})
