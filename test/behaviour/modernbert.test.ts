import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { heads } from '../../src/heads/index.ts'
import { methodOptions } from '../../src/methods/index.ts'
import { architectureOf } from '../../src/models/index.ts'
import { openModel } from '../../src/models/open.ts'
import { alone, logitsOf, startOf } from '../contracts/trial.ts'
import { assertNear, labels, rows as typedRows } from './tiny-model.ts'

/** Four layers, of which the second and third see three tokens to either side. */
const model = openModel(join(import.meta.dirname, '../golden/modernbert-cls-lora/base'), (checkpoint) => checkpoint)
const subject: Subject = { model, head: heads['sequence-classification'], labels }
const rows = typedRows.map((row) => ({ ...row, types: new Int32Array(row.types.length) }))
const flat = (logits: readonly Float32Array[]): number[] => logits.flatMap((row) => [...row])

for (const pooling of ['mean', 'cls']) {
  test(`rows of different lengths answer together as alone, pooled by ${pooling}`, async () => {
    const wiring = architectureOf('modernbert').wire({ ...model.config, classifier_pooling: pooling })
    const of: Subject = { ...subject, model: { ...model, wiring } }
    const apart: Float32Array[] = []
    for (const row of rows) apart.push(...(await logitsOf(of, alone, new Map(), [row])))
    assertNear(flat(await logitsOf(of, alone, new Map(), rows)), flat(apart), 1e-5)
  })
}

test('mean and first token are different answers', async () => {
  const wiring = architectureOf('modernbert').wire({ ...model.config, classifier_pooling: 'cls' })
  const [mean, first] = [
    await logitsOf(subject, alone, new Map(), rows),
    await logitsOf({ ...subject, model: { ...model, wiring } }, alone, new Map(), rows),
  ]
  assert.ok(Math.max(...flat(mean).map((value, i) => Math.abs(value - flat(first)[i]!))) > 0.01)
})

test('a prefix is seen by all tokens, in layers that see what is near, too', async () => {
  const tagging: Subject = { ...subject, head: heads['token-classification'] }
  const prefix = methodFor(tagging, outline(tagging), methodOptions.parse({ name: 'prefix', tokens: 1 }))
  const state = startOf(tagging, prefix)
  const row: Example = {
    ...rows[2]!,
    ids: Int32Array.from({ length: 12 }, (_, i) => i + 3),
    types: new Int32Array(12),
    mask: new Uint8Array(12).fill(1),
  }
  const before = await logitsOf(tagging, prefix, state, [row])
  const value = [...state.keys()].find((name) => name.includes('layers.2.') && name.endsWith('prefix.value'))!
  const changed = new Map(state).set(value, { ...state.get(value)!, data: state.get(value)!.data.map((x) => x + 5) })
  const after = await logitsOf(tagging, prefix, changed, [row])
  const last = before[0]!.length - labels
  assert.ok(Math.abs(before[0]![last]! - after[0]![last]!) > 1e-3)
})

test('query, key and value are a whole with parts, as are the gate and what it lets through', () => {
  const linear = outline(subject).sites.flatMap((site) =>
    site.kind === 'linear' && site.layer === 1 ? [[site.name, site.role, site.within]] : [],
  )
  const at = 'model.layers.1'
  assert.deepEqual(linear, [
    [`${at}.attn.Wqkv`, 'projection', undefined],
    ...['query', 'key', 'value'].map((role) => [`${at}.attn.Wqkv.${role}`, role, `${at}.attn.Wqkv`]),
    [`${at}.attn.Wo`, 'attention-output', undefined],
    [`${at}.mlp.Wi`, 'projection', undefined],
    ...['gate', 'up'].map((role) => [`${at}.mlp.Wi.${role}`, role, `${at}.mlp.Wi`]),
    [`${at}.mlp.Wo`, 'down', undefined],
  ])
})

test('configs that would make another model are refused', () => {
  const wire = (fields: object) => () => architectureOf('modernbert').wire({ ...model.config, ...fields })
  assert.throws(wire({ rope_scaling: { rope_type: 'linear', factor: 2 } }), /it is not known here/)
  assert.throws(wire({ layer_types: ['full_attention'] }), /it is not known here/)
  assert.throws(wire({ classifier_pooling: 'max' }), /classifier_pooling/)
  assert.throws(wire({ num_attention_heads: 3 }), /as wide as the model/)
})
