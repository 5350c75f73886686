import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingAt, withSettings } from './plain.ts'

test('a setting reaches a key that has dots itself', () => {
  const axes = { method: ['lora'], 'train.seed': [1, 2], train: [1] }
  assert.deepEqual(withSettings({ axes }, ['axes.train.seed=[3]', 'axes.method=[full]']).axes, {
    method: ['full'],
    'train.seed': [3],
    train: [1],
  })
  assert.deepEqual(withSettings({}, ['axes.train.seed=[3]']), { axes: { train: { seed: [3] } } })
  assert.deepEqual(axes['train.seed'], [1, 2])
})

test('what stands at a path is there by the last setting that wrote it', () => {
  const settings = ['train.steps=4', 'train.steps=0', 'metod.r=3']
  assert.equal(settingAt(settings, ['train', 'steps'], true), 'train.steps=0')
  assert.equal(settingAt(settings, ['metod'], false), 'metod.r=3')
  assert.equal(settingAt(settings, ['train'], true), undefined)
  assert.equal(settingAt(settings, ['train', 'step'], false), undefined)
})
