import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readFields } from '../../src/json-file.ts'
import { command, projectFolder, succeed, writeRun } from './project.ts'

const folder = projectFolder()

test('a run on the fastest device tells at its start which one that is, and keeps to it', async () => {
  writeRun(folder, 'auto.yaml', { train: { steps: 2, device: 'auto' } })
  const { code, stderr } = await command(['train', 'auto.yaml', '--out', 'auto'], folder)
  assert.equal(code, 0, stderr)
  const [, device] = /The device is (\w+) \(a few products: cpu [\d.]+ ms, /.exec(stderr) ?? []
  const { train } = readFields(join(folder, 'auto/config.json')) as { train: { device: string } }
  assert.equal(train.device, device)
  const given = ['--model', 'model', '--adapter', 'auto/adapter', '--text', 'good film']
  const lines = [await succeed(['predict', ...given, '--device', 'auto'], folder), await succeed(['predict', ...given], folder)]
  if (device === 'cpu') assert.equal(lines[0], lines[1])
})

test('a device that cannot do what is asked is refused before anything is done', async () => {
  writeRun(folder, 'both.yaml', { base: 'int8', train: { steps: 2, device: 'webgpu' } })
  for (const more of [[], ['--dry-run']]) {
    const { code, stderr } = await command(['train', 'both.yaml', '--out', 'both', ...more], folder)
    assert.equal(code, 2)
    assert.match(stderr, /base int8 has no products on the device webgpu: leave it out, or take the device cpu/)
  }
  assert.ok(!existsSync(join(folder, 'both')))
  const given = ['--model', 'model', '--adapter', 'auto/adapter', '--text', 'good film']
  const unknown = await command(['predict', ...given, '--device', 'gpu'], folder)
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /--device gpu: known are cpu, webgpu, cuda, auto/)
})
