import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backward } from '../../src/autodiff/backward.ts'
import { pack } from '../../src/data/pack.ts'
import { streamFeeds } from '../../src/evaluate/stream-feeds.ts'
import { createGraph, output, type Value } from '../../src/graph/graph.ts'
import { mul, sub } from '../../src/graph/ops/elementwise.ts'
import { reduceSum } from '../../src/graph/ops/reduction.ts'
import { lora, loraOptions } from '../../src/methods/lora.ts'
import { attention } from '../../src/nn/attention.ts'
import { embedding } from '../../src/nn/embedding.ts'
import { linear } from '../../src/nn/linear.ts'
import { parameterName } from '../../src/nn/method.ts'
import { createNetwork, type Network, type NetworkOptions } from '../../src/nn/network.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { openSession } from '../../src/runtime/node.ts'
import type { Feeds } from '../../src/runtime/session.ts'
import { bareSetting } from '../behaviour/bare-setting.ts'
import { assertNear, example } from '../behaviour/tiny-model.ts'

const [size, heads, vocabulary] = [8, 2, 50]
const headSize = size / heads

/** T5's cross-attention: queries from the decoder's tokens, keys and values from the encoder's. */
function crossAttention(encoder: Network): Value {
  const decoder = encoder.on('decoder')
  const table = { name: 'shared', rows: vocabulary, size }
  const [source, target] = [embedding(encoder, encoder.stream.ids, table), embedding(decoder, decoder.stream.ids, table)]
  const name = 'decoder.block.0.layer.1.EncDecAttention'
  const square = { layer: 0, in: size, out: size, bias: false }
  const query = linear(decoder, target, { name: `${name}.q`, role: 'query', ...square })
  const key = linear(encoder, source, { name: `${name}.k`, role: 'key', ...square })
  const value = linear(encoder, source, { name: `${name}.v`, role: 'value', ...square })
  return attention(decoder, query, key, value, { name, layer: 0, heads, dropout: 0, keys: encoder.stream })
}

const sources = [example(5, 0), example(9, 0), example(3, 0)]
sources[0]!.mask[2] = 0
const targets = [example(4, 0, 1), example(2, 0, 1), example(6, 0, 1)]
const counting = (ids: Int32Array): Int32Array => ids.map((_, i) => i)
const streams: Feeds = streamFeeds({ ...pack(sources, counting), decoder: pack(targets, counting) })

type Numbers = Map<string, { shape: readonly number[]; data: Float32Array }>
const normal = (name: string, shape: readonly number[]) => {
  const count = shape.reduce((n, dim) => n * dim, 1)
  return { shape, data: normals(count, keyOf('cross', name), { mean: 0, deviation: 0.5 }) }
}

/** The fragment with LoRA on query and key, everything fed: its result, a loss, and the gradients of the LoRA matrices. */
async function openFragment() {
  const base = { training: true, locate: () => null, trains: () => true } satisfies Partial<NetworkOptions>
  const none = { name: 'none', passes: 1, consistency: null, lazy: false, parameters: () => ({}), trains: () => false }
  const outline = createNetwork({ graph: createGraph(), method: none, ...base })
  crossAttention(outline.network)
  const options = loraOptions.parse({ name: 'lora', r: 2, targets: ['query', 'key'] })
  const method = lora.create(options, bareSetting({ sites: outline.sites }))
  const graph = createGraph()
  const { network, trained } = createNetwork({ graph, method, ...base })
  const result = crossAttention(network)
  const error = sub(result, 1)
  const loss = mul(reduceSum(mul(error, error)), 0.01)
  const matrices = outline.sites.flatMap((site) => Object.keys(method.parameters(site)).map((role) => parameterName(site, role)))
  backward(
    loss,
    matrices.map((name) => trained.get(name)!.value),
  ).forEach((gradient, i) => {
    output(graph, `${matrices[i]}=`, gradient!)
  })
  output(graph, 'result', result)
  output(graph, 'loss', loss)
  const state: Numbers = new Map([...trained.values()].map(({ name, shape }) => [name, normal(name, shape)]))
  const session = await openSession(graph)
  return { matrices, state, run: () => session.run({ ...streams, ...Object.fromEntries(state) }), close: session.close }
}

/** The same on the host, for a row; without the LoRA matrices. */
function expected(state: Numbers, row: number): number[] {
  const times = (name: string, ids: Int32Array): number[][] =>
    Array.from(ids, (id) => {
      const x = state.get('shared.weight')!.data.subarray(id * size, (id + 1) * size)
      const weight = state.get(`decoder.block.0.layer.1.EncDecAttention.${name}.weight`)!.data
      return Array.from({ length: size }, (_, i) => x.reduce((sum, value, j) => sum + value * weight[i * size + j]!, 0))
    })
  const [queries, keys, values] = [times('q', targets[row]!.ids), times('k', sources[row]!.ids), times('v', sources[row]!.ids)]
  return queries.flatMap((query) =>
    Array.from({ length: size }, (_, at) => {
      const first = Math.floor(at / headSize) * headSize
      const scores = keys.map((key, j) => {
        const score = key.slice(first, first + headSize).reduce((sum, value, i) => sum + value * query[first + i]!, 0)
        return sources[row]!.mask[j] === 1 ? Math.exp(score / Math.sqrt(headSize)) : 0
      })
      const total = scores.reduce((sum, score) => sum + score, 0)
      return scores.reduce((sum, score, j) => sum + (score / total) * values[j]![at]!, 0)
    }),
  )
}

test("cross-attention reads the encoder's stream from the decoder's", async () => {
  const { state, matrices, run, close } = await openFragment()
  assert.equal(matrices.length, 4)
  for (const name of matrices) if (name.endsWith('B.weight')) state.get(name)!.data.fill(0)
  const { result } = await run()
  await close()
  assert.deepEqual(result!.shape, [12, size])
  assertNear(
    result!.data,
    [0, 1, 2].flatMap((row) => expected(state, row)),
    1e-5,
  )
})

test('LoRA learns on both streams and has the right gradients', async () => {
  const { state, matrices, run, close } = await openFragment()
  const first = await run()
  for (const name of matrices) {
    const { data } = state.get(name)!
    for (const at of [0, data.length - 1]) {
      const held = data[at]!
      data[at] = held + 0.01
      const above = (await run()).loss!.data[0]!
      data[at] = held - 0.01
      const below = (await run()).loss!.data[0]!
      data[at] = held
      const given = first[`${name}=`]!.data[at]!
      assert.ok(Math.abs((above - below) / 0.02 - given) < 0.01 * Math.abs(given) + 1e-4, `${name}[${at}]`)
      assert.ok(Math.abs(given) > 1e-4, `${name}[${at}] has no gradient`)
    }
  }
  for (let step = 0; step < 10; step++) {
    const results = await run()
    for (const name of matrices) {
      const { data } = state.get(name)!
      results[`${name}=`]!.data.forEach((slope, i) => {
        data[i] = data[i]! - 0.2 * slope
      })
    }
  }
  const last = await run()
  await close()
  assert.ok(last.loss!.data[0]! < 0.95 * first.loss!.data[0]!, `${first.loss!.data[0]} to ${last.loss!.data[0]}`)
})
