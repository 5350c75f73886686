import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bareContext, bareSetting } from '../../test/behaviour/bare-setting.ts'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { reshape } from '../graph/ops/movement.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { BranchSite, EmbeddingSite, LinearSite } from '../nn/site.ts'
import { bottleneck, bottleneckOptions } from './bottleneck.ts'
import { lora, loraOptions } from './lora.ts'
import { mixture } from './mixture.ts'
import { prompt, promptOptions } from './prompt.ts'

const branch: BranchSite = { kind: 'branch', stage: 'raw', role: 'feed-forward', name: 'down', module: 'output', layer: 0, hidden: 2 }
const linear: LinearSite = { kind: 'linear', role: 'query', name: 'query', layer: 0, in: 1, out: 1, bias: false }
const setting = bareSetting({ sites: [branch, linear] })
const adapter = bottleneck.create(bottleneckOptions.parse({ name: 'bottleneck', variant: 'ffn-output', size: 1 }), setting)
const lowRank = lora.create(loraOptions.parse({ name: 'lora', r: 1, alpha: 1, targets: ['query'] }), setting)
const mixed = (inner: Method, experts: number, share: readonly string[]): Method =>
  mixture(inner, setting.sites, { experts, share, consistency: null, lazy: false, merges: true, routing: { per: 'pass', draw: () => 0 } })
const tensor = (shape: readonly number[], data: readonly number[]): Tensor => ({ shape, data: Float32Array.from(data) })

/** What an adapter adds to [1, -1], through the expert that the routes pick. */
async function adapted(method: Method, state: ReadonlyMap<string, Tensor>, route: readonly (readonly number[])[]): Promise<number[]> {
  const roles = Object.keys(method.parameters(branch))
  const given = Object.fromEntries(
    roles.map((role) => [role, { shape: state.get(`down.${role}`)!.shape, data: Array.from(state.get(`down.${role}`)!.data) }]),
  )
  const { y } = await compute(
    { ...given, x: operand([[1, -1]]), routes: operand(route) },
    (values) => {
      const x = values.x!
      const call = {
        value: x,
        residual: x,
        norm: () => x,
        dropout: () => x,
        controls: { 'mixture.routes': values.routes! },
        shared: {},
        context: bareContext,
      }
      return { y: reshape(method.branch!(branch, Object.fromEntries(roles.map((role) => [role, values[role]!])), call), [2]) }
    },
    'float32',
  )
  return y!
}
const near = (given: ArrayLike<number>, expected: readonly number[]): void =>
  expected.forEach((value, i) => {
    assert.ok(Math.abs(given[i]! - value) < 1e-6, `${given[i]}, expected ${value}`)
  })

test('the merged adapter is that of the mean weights, which is not the mean of the routes', async () => {
  const method = mixed(adapter, 2, ['up'])
  const state = new Map([
    ['down.down.weight', tensor([2, 1, 2], [1, 0, 0, 1])],
    ['down.down.bias', tensor([2, 1], [0, 0])],
    ['down.up.weight', tensor([1, 2, 1], [1, 1])],
    ['down.up.bias', tensor([1, 2], [0, 0])],
  ])
  near(await adapted(method, state, [[1, 0]]), [1.841345, -0.158655])
  near(await adapted(method, state, [[0, 1]]), [0.841345, -1.158655])
  const merged = method.deploy!(state)
  near(await adapted(merged.method, merged.state, [[1, 0]]), [1, -1])
})

const increment = (method: Method, state: ReadonlyMap<string, Tensor>): number =>
  method.increment!(linear, { 'A.weight': state.get('query.A.weight')!, 'B.weight': state.get('query.B.weight')! })[0]!
const factors = (a: readonly number[], b: readonly number[]) =>
  new Map([
    ['query.A.weight', tensor([a.length, 1, 1], a)],
    ['query.B.weight', tensor([b.length, 1, 1], b)],
  ])

test('of prompts with the same rows in another order the mean has equal rows', () => {
  const words: EmbeddingSite = { kind: 'embedding', name: 'words', layer: null, hidden: 2 }
  const inner = prompt.create(promptOptions.parse({ name: 'prompt', tokens: 2 }), bareSetting({ sites: [words] }))
  const method = mixture(inner, [words], {
    ...{ experts: 2, share: [], consistency: null, lazy: false, merges: true },
    routing: { per: 'pass', draw: () => 0 },
  })
  const merged = method.deploy!(new Map([['words.prompt.weight', tensor([2, 2, 2], [1, 2, 3, 4, 3, 4, 1, 2])]]))
  near(merged.state.get('words.prompt.weight')!.data, [2, 3, 2, 3])
})

test('merged LoRA is the product of the mean factors', () => {
  const merged = mixed(lowRank, 2, []).deploy!(factors([1, 3], [2, -4]))
  assert.equal(increment(merged.method, merged.state), -2)
})

test('with B shared the merged increment is the mean of those of the routes', () => {
  const merged = mixed(lowRank, 4, ['B']).deploy!(factors([1, 3, -5, 7], [2]))
  assert.equal(increment(merged.method, merged.state), (2 + 6 - 10 + 14) / 4)
})

const numbers = fc.array(
  fc.integer({ min: -(2 ** 20), max: 2 ** 20 }).map((n) => n / 1024),
  { minLength: 2, maxLength: 6 },
)
const meanOf = (values: readonly number[]): number =>
  mixed(lowRank, values.length, ['B']).deploy!(factors(values, [1])).state.get('query.A.weight')!.data[0]!

test('merging equal experts gives one of them, and their order does not matter', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      assert.equal(meanOf(values.map(() => values[0]!)), values[0]!)
      assert.ok(Math.abs(meanOf(values) - meanOf([...values].reverse())) <= 1e-5)
    }),
  )
})

test('merging changes nothing of the state it is given, nor tensors of the base model', () => {
  const state = factors([1, 3], [2, -4])
  const bias = tensor([2], [5, 6])
  state.set('classifier.bias', bias)
  const merged = mixed(lowRank, 2, []).deploy!(state)
  assert.deepEqual([...state.get('query.A.weight')!.data], [1, 3])
  assert.equal(merged.state.get('classifier.bias'), bias)
  assert.deepEqual(merged.state.get('query.A.weight')!.shape, [1, 1])
})

test('a route is the plain method with the experts that are chosen, and chooses what a pass of training draws', () => {
  const asked = { training: new Set<string>(), route: new Set<string>() }
  const pair: LinearSite[] = ['self.query', 'self.value'].map((name) => ({ ...linear, name, role: name.slice(5) as 'query' | 'value' }))
  const sites = [...pair, branch]
  const options = loraOptions.parse({ name: 'lora', r: 1, alpha: 1, targets: ['query', 'value'] })
  const inner = lora.create(options, { ...setting, sites })
  const method = mixture(inner, sites, {
    ...{ experts: 3, share: ['B'], consistency: null, lazy: false, merges: true },
    routing: {
      per: 'pass',
      draw({ group, role }) {
        asked.training.add(`${group} ${role}`)
        return 0
      },
    },
  })
  method.feed!({ seed: 1, step: 0, microBatch: 0, rows: 2 })
  const state = new Map(
    pair.flatMap(({ name }, i) => [
      [
        `${name}.A.weight`,
        tensor(
          [3, 1, 1],
          [1, 2, 3].map((value) => value + 10 * i),
        ),
      ],
      [`${name}.B.weight`, tensor([1, 1, 1], [7 + i])],
    ]),
  )
  const routed = method.experts!.route(state, ({ group, role }) => {
    asked.route.add(`${group} ${role}`)
    return 2
  })
  assert.equal(routed.method, inner)
  assert.deepEqual(
    [...routed.state].map(([name, { shape, data }]) => [name, [...shape], [...data]]),
    [
      ['self.query.A.weight', [1, 1], [3]],
      ['self.query.B.weight', [1, 1], [7]],
      ['self.value.A.weight', [1, 1], [13]],
      ['self.value.B.weight', [1, 1], [8]],
    ],
  )
  assert.deepEqual([...asked.route], ['self A'])
  assert.deepEqual(asked.route, asked.training)
  assert.deepEqual([...state.get('self.query.A.weight')!.data], [1, 2, 3])
})

test('experts begin with values of their own, or all with those of the plain method', () => {
  const key = [3, 4] as const
  const { init: plain } = lowRank.parameters(linear)['A.weight']!
  const started = (start?: 'apart' | 'same'): number[] => {
    const routing = { per: 'pass', draw: () => 0 } as const
    const options = { experts: 3, share: [], consistency: null, lazy: false, merges: true, routing, ...(start && { start }) }
    return [...mixture(lowRank, setting.sites, options).parameters(linear)['A.weight']!.init(key)]
  }
  const [first] = plain(key)
  assert.deepEqual(started('same'), [first, first, first])
  assert.deepEqual(started(), started('apart'))
  assert.equal(started('apart')[0], first)
  assert.equal(new Set(started('apart')).size, 3)
})
