import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAdapted } from '../../src/evaluate/adapted.ts'
import { findModel } from '../../src/evaluate/find-model.ts'
import { mergeAdapter } from '../../src/merging/merge.ts'
import { unmergeAdapter } from '../../src/merging/unmerge.ts'
import { openCheckpoint } from '../../src/weights/checkpoint.ts'
import { readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { command, projectFolder, writeRun } from './project.ts'

const folder = projectFolder()
const at = (name: string): string => join(folder, name)
const [model, adapter] = [at('model'), at('run/adapter')]

const trained = (async () => {
  writeRun(folder, 'run.yaml', { method: { name: 'lora', r: 2 }, train: { steps: 6, learningRate: 0.02 } })
  assert.deepEqual(await command(['train', 'run.yaml', '--out', 'run', '--quiet'], folder), { code: 0, stderr: '' })
})()

/** What is said of the adapter on a model. */
async function said(on: string): Promise<string[]> {
  const told: string[] = []
  openAdapted(await findModel(on), { adapter, task: null, labels: null }, (text) => told.push(text))
  return told
}

/** A copy of the model whose weights are changed. */
function changed(name: string, change: (value: number) => number): string {
  cpSync(model, at(name), { recursive: true })
  const file = at(`${name}/model.safetensors`)
  const tensors = [...openCheckpoint(model).tensors].map(
    ([key, entry]) => [key, { shape: entry.shape, data: readTensor(entry).map(change) }] as const,
  )
  writeSafetensors(file, tensors)
  return at(name)
}

test('an adapter is at home on its model, by whatever path, and on copies that are rounded', async () => {
  await trained
  cpSync(model, at('moved'), { recursive: true })
  for (const home of [model, at('moved'), changed('nearly', (value) => value * (1 + 2e-5))]) assert.deepEqual(await said(home), [])
})

test('a model of other weights is warned of, and one that the adapter is merged into; without it, it is at home again', async () => {
  await trained
  const other = /run.adapter was made for a model with other weights, so that .* take the model alone\.$/
  const told: string[] = []
  const notice = (text: string): void => void told.push(text)
  const folded = [
    await mergeAdapter({ model, adapter, out: at('merged'), notice }),
    await unmergeAdapter({ model: at('merged'), adapter, out: at('unmerged'), notice }),
  ]
  assert.deepEqual(
    folded.map(({ out }) => out),
    [at('merged'), at('unmerged')],
  )
  for (const { logitGap } of folded) assert.ok(logitGap < 1e-5, String(logitGap))
  assert.deepEqual(told, [])
  assert.deepEqual(await said(at('unmerged')), [])
  for (const strange of [at('merged'), changed('others', (value) => value * 1.01)]) {
    const [first, ...rest] = await said(strange)
    assert.match(first!, other)
    assert.deepEqual(rest, [])
  }
  await mergeAdapter({ model: at('merged'), adapter, out: at('twice'), notice })
  assert.match(told[0]!, other)
})
