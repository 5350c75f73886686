import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../errors.ts'
import type { LinearRole, LinearSite, Site } from '../nn/site.ts'
import { layerSelection, selectsLayer } from './layers.ts'
import { resolveTargets, type TargetOptions } from './targets.ts'

const linear = (name: string, role: LinearRole, layer: number | null): LinearSite => ({
  kind: 'linear',
  name,
  role,
  layer,
  in: 1,
  out: 1,
  bias: true,
})
const sites: Site[] = [
  ...[0, 1, 2].flatMap((layer) => [
    linear(`m.layer.${layer}.self.query`, 'query', layer),
    linear(`m.layer.${layer}.self.value`, 'value', layer),
    linear(`m.layer.${layer}.output.dense`, 'down', layer),
  ]),
  linear('m.pooler.dense', 'pooler', null),
  linear('classifier', 'head', null),
  { kind: 'embedding', name: 'm.embeddings', layer: null, hidden: 1 },
]
const resolve = (given: Partial<TargetOptions>): string[] => [
  ...resolveTargets({ targets: ['query'], exclude: [], layers: null, ...given }, sites, 3),
]

test('a target names a role, a module or the end of its name after a dot', () => {
  assert.deepEqual(
    resolve({ targets: ['down'] }),
    [0, 1, 2].map((layer) => `m.layer.${layer}.output.dense`),
  )
  assert.deepEqual(resolve({ targets: ['output.dense'] }), resolve({ targets: ['down'] }))
  assert.deepEqual(resolve({ targets: ['m.layer.1.self.value'] }), ['m.layer.1.self.value'])
  assert.throws(() => resolve({ targets: ['uery'] }), /"uery" matches no linear module.*query/)
})

test('an expression matches whole names', () => {
  assert.deepEqual(resolve({ targets: String.raw`.*\.[02]\.self\.(query|value)` }).length, 4)
  assert.throws(() => resolve({ targets: 'self' }), UserError)
  assert.throws(() => resolve({ targets: '(' }), /"\(" is no regular expression/)
})

test('all linear maps are those of the model, heads left out', () => {
  const all = resolve({ targets: 'all-linear' })
  assert.equal(all.length, 10)
  assert.ok(!all.includes('classifier'))
  assert.throws(() => resolve({ targets: ['classifier'] }), UserError)
})

test('modules and layers can be left out; what is outside of the layers goes with a selection', () => {
  assert.deepEqual(resolve({ targets: 'all-linear', exclude: ['dense'], layers: [1] }), ['m.layer.1.self.query', 'm.layer.1.self.value'])
  assert.deepEqual(resolve({ targets: ['pooler', 'query'], layers: 'last 1' }), ['m.layer.2.self.query'])
  assert.throws(() => resolve({ exclude: ['query'] }), /leave none of the targets/)
})

test('layers are selected from either end or by number', () => {
  const selected = (layers: string | number[] | null) => [0, 1, 2, 3].filter((layer) => selectsLayer(layers, layer, 4))
  assert.deepEqual(selected(null), [0, 1, 2, 3])
  assert.deepEqual(selected('first 1'), [0])
  assert.deepEqual(selected('last 3'), [1, 2, 3])
  assert.deepEqual(selected([2, 0]), [0, 2])
  assert.deepEqual([selectsLayer(null, null, 4), selectsLayer('last 1', null, 4)], [true, false])
})

test('a number that no layer has is refused; a decoder may have more layers than "last" counts from', () => {
  assert.throws(() => resolve({ layers: [0, 99] }), /layers: there is no layer 99; this model has 3, counted from 0 to 2/)
  const selects = layerSelection([2], { sites, layers: 2 })
  assert.deepEqual([0, 1, 2].map(selects), [false, false, true])
})
