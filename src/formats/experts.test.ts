import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameBits, disturb, prepare, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { adamix } from '../methods/adamix.ts'
import { lora } from '../methods/lora.ts'
import { readHeader, readTensor } from '../weights/safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import { isExpertsFile, loadExperts, saveExperts } from './index.ts'

const DOWN = 'bert.encoder.layer.0.output.dense.down'

function saved(given: Readonly<Record<string, unknown>> = { of: { name: 'bottleneck', size: 4 }, experts: 3 }) {
  const { subject, shape, state } = prepare(tinySubject(), adamix, given)
  disturb(state, /./)
  const file = join(temporaryFolder(), 'experts.safetensors')
  const place = { model: subject.model, outline: shape }
  const options = adamix.options.parse({ name: adamix.name, ...given })
  saveExperts(file, { options, memory: null, state }, place)
  return { options, state, file, place, ...readHeader(file) }
}

const refuses = (run: () => unknown, pattern: RegExp): void =>
  assert.throws(run, (error) => error instanceof UserError && pattern.test(error.message))

test('each expert has a tensor of its own, shared roles have one', () => {
  const { state, file, tensors, place, options } = saved()
  const site = [...tensors.keys()].filter((name) => name.startsWith('bert.encoder.layer.0.')).sort()
  const downs = [0, 1, 2].flatMap((k) => [`${DOWN}.${k}.bias`, `${DOWN}.${k}.weight`])
  assert.deepEqual(site, [...downs, 'bert.encoder.layer.0.output.dense.up.0.bias', 'bert.encoder.layer.0.output.dense.up.0.weight'])
  assert.deepEqual(tensors.get(`${DOWN}.1.weight`)!.shape, [4, 16])
  assert.deepEqual(readTensor(tensors.get(`${DOWN}.1.weight`)!), state.get(`${DOWN}.weight`)!.data.slice(64, 128))
  assert.ok(tensors.has('classifier.weight'))
  const loaded = loadExperts(file, place)
  assert.deepEqual([loaded.options, loaded.memory], [options, null])
  assert.deepEqual([...loaded.state.keys()].sort(), [...state.keys()].sort())
  for (const [name, { shape }] of loaded.state) assert.deepEqual(shape, state.get(name)!.shape)
  assertSameBits(loaded.state, state)
})

test('a mixture of LoRA modules comes back, and so does one of biases, whose stacks bear names of the model', () => {
  for (const of of [{ name: 'lora', r: 2 }, { name: 'bitfit' }]) {
    const { state, file, place } = saved({ of, experts: 2, share: [] })
    assertSameBits(loadExperts(file, place).state, state)
  }
})

test('a file that does not say what it holds is taken for what it is said to be, or refused', () => {
  const { file, options, state, place, tensors, metadata } = saved()
  const all = [...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }] as const)
  writeSafetensors(file, all)
  assertSameBits(loadExperts(file, place, { options, memory: null }).state, state)
  refuses(() => loadExperts(file, place), /does not say what mixture it holds/)
  const plain = { options: lora.options.parse({ name: 'lora' }), memory: null }
  refuses(() => loadExperts(file, place, plain), /holds experts that are merged, but the method is lora/)
  for (const key of ['method', 'memory']) {
    writeSafetensors(file, all, { ...Object.fromEntries(metadata), [key]: '{' })
    refuses(() => loadExperts(file, place), new RegExp(`damaged: its metadata "${key}"`))
  }
})

test('tensors that are missing, too many or of another shape are named', () => {
  const { file, place, tensors, metadata } = saved()
  const all = [...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }] as const)
  const write = (tensors: typeof all): void => writeSafetensors(file, tensors, Object.fromEntries(metadata))
  write(all.filter(([name]) => name !== `${DOWN}.2.weight`))
  refuses(() => loadExperts(file, place), /lacks the tensor "bert\.encoder\.layer\.0\.output\.dense\.down\.2\.weight"/)
  write([...all, ['stray', { shape: [1], data: new Float32Array(1) }]])
  refuses(() => loadExperts(file, place), /holds the tensor "stray", with no place here/)
  write(all.map(([name, tensor]) => [name, name === `${DOWN}.2.weight` ? { ...tensor, shape: [16, 4] } : tensor]))
  refuses(() => loadExperts(file, place), /is \[16,4\].*\[4,16\]/)
})

test('a file is told from a folder', () => {
  const { file } = saved()
  assert.deepEqual([isExpertsFile(file), isExpertsFile(join(file, '..')), isExpertsFile(`${file}.none`)], [true, false, false])
})
