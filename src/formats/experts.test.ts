import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameBits, disturb, prepare, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { adamix } from '../methods/adamix.ts'
import { readHeader, readTensor } from '../weights/safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import { isExpertsFile, loadExperts, saveExperts } from './index.ts'

const DOWN = 'bert.encoder.layer.0.output.dense.down'

function saved(given: Readonly<Record<string, unknown>> = { of: { name: 'bottleneck', size: 4 }, experts: 3 }) {
  const { subject, shape, state } = prepare(tinySubject(), adamix, given)
  disturb(state, /./)
  const file = join(temporaryFolder(), 'experts.safetensors')
  saveExperts(file, state, { model: subject.model, outline: shape })
  return { state, file, tensors: readHeader(file).tensors }
}

const refuses = (run: () => unknown, pattern: RegExp): void =>
  assert.throws(run, (error) => error instanceof UserError && pattern.test(error.message))

test('each expert has a tensor of its own, shared roles have one', () => {
  const { state, file, tensors } = saved()
  const site = [...tensors.keys()].filter((name) => name.startsWith('bert.encoder.layer.0.')).sort()
  const downs = [0, 1, 2].flatMap((k) => [`${DOWN}.${k}.bias`, `${DOWN}.${k}.weight`])
  assert.deepEqual(site, [...downs, 'bert.encoder.layer.0.output.dense.up.0.bias', 'bert.encoder.layer.0.output.dense.up.0.weight'])
  assert.deepEqual(tensors.get(`${DOWN}.1.weight`)!.shape, [4, 16])
  assert.deepEqual(readTensor(tensors.get(`${DOWN}.1.weight`)!), state.get(`${DOWN}.weight`)!.data.slice(64, 128))
  assert.ok(tensors.has('classifier.weight'))
  const loaded = loadExperts(file, state)
  assert.deepEqual([...loaded.keys()], [...state.keys()])
  for (const [name, { shape }] of loaded) assert.deepEqual(shape, state.get(name)!.shape)
  assertSameBits(loaded, state)
})

test('a mixture of LoRA modules comes back', () => {
  const { state, file } = saved({ of: { name: 'lora', r: 2 }, experts: 2, share: [] })
  assertSameBits(loadExperts(file, state), state)
})

test('another number of experts, or other sharing, is refused', () => {
  const { file } = saved()
  refuses(
    () => loadExperts(file, saved({ of: { name: 'bottleneck', size: 4 }, experts: 4 }).state),
    /holds 3 expert\(s\) for the role "down", but the options make 4/,
  )
  refuses(
    () => loadExperts(file, saved({ of: { name: 'bottleneck', size: 4 }, experts: 3, share: [] }).state),
    /holds 1 expert\(s\) for the role "up", but the options make 3/,
  )
})

test('tensors that are missing, too many or of another shape are named', () => {
  const { file, state, tensors } = saved()
  const all = [...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }] as const)
  writeSafetensors(
    file,
    all.filter(([name]) => !name.startsWith('classifier.')),
  )
  refuses(() => loadExperts(file, state), /lacks 2 tensors: "classifier\.weight", "classifier\.bias"/)
  writeSafetensors(file, [...all, ['stray', { shape: [1], data: new Float32Array(1) }]])
  refuses(() => loadExperts(file, state), /holds the tensor "stray", with no place here/)
  writeSafetensors(file, all)
  refuses(() => loadExperts(file, saved({ of: { name: 'bottleneck', size: 8 }, experts: 3 }).state), /is \[4,16\].*\[8,16\]/)
})

test('a file is told from a folder', () => {
  const { file } = saved()
  assert.deepEqual([isExpertsFile(file), isExpertsFile(join(file, '..')), isExpertsFile(`${file}.none`)], [true, false, false])
})
