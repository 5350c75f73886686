import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { heads } from '../../src/heads/index.ts'
import { methodOptions } from '../../src/methods/index.ts'
import { architectureOf } from '../../src/models/index.ts'
import { openModel } from '../../src/models/open.ts'
import { openStep } from '../../src/train/step.ts'
import { alone, logitsOf, startOf } from '../contracts/trial.ts'
import { assertNear, disturb, labels, stepOptions, rows as typedRows } from './tiny-model.ts'

/** Four layers, of which the first two and the last two share their weights. */
const model = openModel(join(import.meta.dirname, '../golden/albert-cls-lora/base'), (checkpoint) => checkpoint)
const subject: Subject = { model, head: heads['sequence-classification'], labels }
const rows = typedRows.map((row) => ({ ...row, types: new Int32Array(row.types.length) }))
const shape = outline(subject)
const method = (options: object) => methodFor(subject, shape, methodOptions.parse(options), 10)

test('layers that share their weights are one site each, and what a method adds there counts once', () => {
  const queries = shape.sites.filter((site) => site.kind === 'linear' && site.role === 'query')
  assert.deepEqual(
    queries.map(({ name, layer }) => [name, layer]),
    [0, 1].map((group) => [`albert.encoder.albert_layer_groups.${group}.albert_layers.0.attention.query`, group]),
  )
  const state = startOf(subject, method({ name: 'lora', r: 2, targets: ['query'] }))
  assert.equal(state.size, 4)
  const last = startOf(subject, method({ name: 'lora', r: 2, targets: ['query'], layers: [1] }))
  assert.ok([...last.keys()].every((name) => name.includes('groups.1')))
})

test('shared layers are those of a model that has them twice', async () => {
  const wiring = architectureOf('albert').wire({ ...model.config, num_hidden_groups: 4 })
  // Groups 0 to 3 with the weights of 0, 0, 1 and 1.
  const find = (name: string) => model.find(name.replace(/groups\.(\d)/, (_, group) => `groups.${Math.floor(Number(group) / 2)}`))
  const apart: Subject = { ...subject, model: { ...model, wiring, find } }
  assert.equal(
    outline(apart).sites.filter((site) => site.kind === 'branch').length,
    2 * shape.sites.filter((site) => site.kind === 'branch').length,
  )
  const logits = async (of: Subject) => (await logitsOf(of, alone, new Map(), rows)).flatMap((row) => [...row])
  assertNear(await logits(apart), await logits(subject), 1e-5)
})

test('gates for each token choose anew in each repetition, and tell of their use once a layer', async () => {
  const mixture = method({
    ...{ name: 'adamix', of: { name: 'lora', r: 2, targets: ['query', 'down'] }, experts: 3 },
    routing: { name: 'switch', jitter: 0, capacity: null },
  })
  const state = startOf(subject, mixture)
  disturb(state, /\.(A|B|router)\b/, 0.2)
  const step = await openStep(subject, state, stepOptions(mixture))
  const { signals, finite } = await step.run([rows], { seed: 1, step: 0 }, 1e-3)
  await step.close()
  assert.ok(finite)
  assert.equal(signals.size, 4)
  for (const { load } of signals.values()) assertNear([load!.reduce((sum, share) => sum + share, 0)], [1], 1e-5)
})

test('more groups than layers are refused', () => {
  assert.throws(() => architectureOf('albert').wire({ ...model.config, num_hidden_groups: 5 }), /more groups than layers/)
})
