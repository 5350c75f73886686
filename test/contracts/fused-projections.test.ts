import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pack } from '../../src/data/pack.ts'
import { UserError } from '../../src/errors.ts'
import { assemble, outline, type Subject } from '../../src/evaluate/assembly.ts'
import type { State } from '../../src/evaluate/state.ts'
import { streamFeeds } from '../../src/evaluate/stream-feeds.ts'
import { output, type Value } from '../../src/graph/graph.ts'
import { add } from '../../src/graph/ops/elementwise.ts'
import { gemm } from '../../src/graph/ops/matmul.ts'
import { zeros } from '../../src/methods/initial.ts'
import { lora, loraOptions } from '../../src/methods/lora.ts'
import { resolveTargets } from '../../src/methods/targets.ts'
import { openModel } from '../../src/models/open.ts'
import { attention } from '../../src/nn/attention.ts'
import { embedding } from '../../src/nn/embedding.ts'
import { fusedLinear } from '../../src/nn/fused-linear.ts'
import type { Method, ParameterSpec } from '../../src/nn/method.ts'
import type { Network } from '../../src/nn/network.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { openSession } from '../../src/runtime/node.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { assertNear, bareSubject, disturb, rows, settingOf } from '../behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, plain, startOf } from './trial.ts'

const [hidden, heads] = [16, 2]

/** Query, key and value as GPT-2's `c_attn` makes them. */
const fusedProjections = (network: Network, x: Value, name: string): Value[] => {
  const roles = ['query', 'key', 'value'] as const
  const projections = roles.map((role) => ({ name: `${name}.${role}`, role }))
  return fusedLinear(network, x, { name, layer: 0, in: hidden, out: hidden, transposed: true }, projections)
}

const fields = { model_type: 'bert', hidden_size: hidden, num_attention_heads: heads, num_hidden_layers: 1, intermediate_size: 32 }
const bare = bareSubject({ ...fields, vocab_size: 50, max_position_embeddings: 24, hidden_dropout_prob: 0 })
let projections: Value[] = []

/** One attention block in place of a BERT's encoder. */
function encode(network: Network): Value {
  const x = embedding(network, network.stream.ids, { name: 'bert.wte', rows: 50, size: hidden })
  projections = fusedProjections(network, x, 'bert.h.0.attn.c_attn')
  const [query, key, value] = projections as [Value, Value, Value]
  return add(query, attention(network, query, key, value, { name: 'bert.h.0.attn', layer: 0, heads, dropout: 0 }))
}
const wiring = { ...bare.model.wiring, encode }
const tensors = [...outline({ ...bare, model: { ...bare.model, wiring } }).base.values()].map(({ name, shape }) => {
  const size = shape.reduce((n, dim) => n * dim, 1)
  return [name, { shape, data: normals(size, keyOf('fused', name), { mean: 0, deviation: 0.4 }) }] as const
})
writeSafetensors(join(bare.model.folder, 'model.safetensors'), tensors)
const subject: Subject = { ...bare, model: { ...openModel(bare.model.folder, (checkpoint) => checkpoint), wiring } }
const setting = settingOf(subject)
const loraOn = (...targets: string[]): Method => lora.create(loraOptions.parse({ name: 'lora', r: 2, alpha: 2, targets }), setting)

/** Query, key and value of a batch. */
async function projected(method: Method, state: State): Promise<number[][]> {
  const { network } = assemble(subject, { method, training: false, trains: () => false })
  projections.forEach((value, i) => {
    output(network.graph, `${i}`, value)
  })
  const session = await openSession(network.graph)
  const results = await session.run({ ...streamFeeds(pack(rows, wiring.positions)), ...Object.fromEntries(state) })
  await session.close()
  return [0, 1, 2].map((i) => Array.from(results[i]!.data))
}

test('LoRA on the query inside c_attn learns, has the right gradients, and leaves key and value untouched', async () => {
  const method = loraOn('query')
  const state = startOf(subject, method)
  assert.deepEqual([...state.keys()], ['bert.h.0.attn.c_attn.query.A.weight', 'bert.h.0.attn.c_attn.query.B.weight'])
  await assertLossFalls(subject, method, state, rows)
  disturb(state, /B\.weight$/)
  await assertGradients(subject, method, state, rows, { pattern: /[AB]\.weight$/ })
  const [query, key, value] = await projected(method, state)
  const before = await projected(alone, new Map())
  assert.deepEqual([key, value], before.slice(1))
  assert.ok(query!.some((number, i) => Math.abs(number - before[0]![i]!) > 0.1))
})

test('LoRA on the query inside c_attn is LoRA on the whole with zeros below', async () => {
  const [part, whole] = [loraOn('query'), loraOn('c_attn')]
  const [partState, wholeState] = [startOf(subject, part), startOf(subject, whole)]
  disturb(partState, /B\.weight$/)
  for (const role of ['A.weight', 'B.weight']) {
    const { data } = wholeState.get(`bert.h.0.attn.c_attn.${role}`)!
    data.fill(0)
    data.set(partState.get(`bert.h.0.attn.c_attn.query.${role}`)!.data)
  }
  const [given, expected] = [await projected(part, partState), await projected(whole, wholeState)]
  given.forEach((numbers, i) => {
    assertNear(numbers, expected[i]!, 1e-6)
  })
})

test('the weight and bias that a call offers are those of its slice', async () => {
  const product: Method = {
    ...plain,
    name: 'product',
    parameters: (site): Record<string, ParameterSpec> =>
      site.kind === 'linear' && site.within ? { none: { shape: [1], init: zeros([1]) } } : {},
    linear: (_site, _roles, { input, weight, bias }) => gemm(input, weight, bias, { transposeB: true }),
  }
  const [given, expected] = [await projected(product, startOf(subject, product)), await projected(alone, new Map())]
  given.forEach((numbers, i) => {
    assertNear(numbers, expected[i]!, 1e-6)
  })
})

test('a whole and a part of it are no targets together', () => {
  const chosen = (...targets: string[]) => resolveTargets({ targets, exclude: [], layers: null }, setting.sites, setting.layers)
  assert.throws(
    () => chosen('c_attn', 'query'),
    (error) =>
      error instanceof UserError && /"bert\.h\.0\.attn\.c_attn\.query" is a part of "bert\.h\.0\.attn\.c_attn"/.test(error.message),
  )
  for (const apart of [chosen('c_attn'), chosen('query', 'value')]) assert.ok(apart.size > 0)
})
