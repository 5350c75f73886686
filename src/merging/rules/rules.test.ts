import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../../../test/behaviour/tiny-model.ts'
import { lowRankIncrement } from '../../methods/low-rank.ts'
import type { Tensor } from '../../nn/method.ts'
import { factorise } from '../svd.ts'
import { bySvd, svd } from './by-svd.ts'
import { cat } from './cat.ts'
import { dareLinear, dareTies } from './dare.ts'
import { factorwise } from './factorwise.ts'
import { linear } from './linear.ts'
import { magnitudePrune } from './magnitude-prune.ts'
import { weightedMean } from './mean.ts'
import type { PairRule, Part } from './pair-rule.ts'
import type { TensorSettings } from './tensor-rule.ts'
import { ties } from './ties.ts'

interface Golden {
  readonly members: Readonly<Record<string, { readonly scale: number; readonly a: number[][]; readonly b: number[][] }>>
  readonly cases: readonly {
    readonly rule: string
    readonly adapters: readonly string[]
    readonly weights: readonly number[]
    readonly density?: number
    readonly sign?: TensorSettings['sign']
    readonly rank?: number
    readonly masks?: readonly (readonly number[])[]
    readonly a?: number[][]
    readonly b?: number[][]
    readonly increment?: number[][]
  }[]
}

const golden: Golden = JSON.parse(readFileSync(new URL('../../../test/golden/peft-combinations.json', import.meta.url), 'utf8'))
const tensor = (rows: readonly (readonly number[])[]): Tensor => ({
  shape: [rows.length, rows[0]!.length],
  data: Float32Array.from(rows.flat()),
})
const pairRules: Readonly<Record<string, PairRule>> = {
  linear: factorwise(linear),
  cat,
  svd,
  ties: factorwise(ties),
  'dare-linear': factorwise(dareLinear),
  'dare-ties': factorwise(dareTies),
  'magnitude-prune': factorwise(magnitudePrune),
  'ties-svd': bySvd(ties),
  'dare-linear-svd': bySvd(dareLinear),
  'dare-ties-svd': bySvd(dareTies),
  'magnitude-prune-svd': bySvd(magnitudePrune),
}
const one = (value: number): Tensor => tensor([[value]])
const increment = ({ a, b }: { a: Tensor; b: Tensor }): Float32Array => lowRankIncrement({ a, b, scale: 1 })

for (const { rule, adapters, weights, density = 1, sign = 'total', rank = null, masks = [], ...expected } of golden.cases) {
  test(`${rule} of ${adapters.join(', ')} with ${weights} gives PEFT's numbers${rank ? ` at rank ${rank}` : ''}, ${sign}`, () => {
    const parts = adapters.map((name, k): Part => {
      const { scale, a, b } = golden.members[name]!
      return { weight: weights[k]!, scale, a: tensor(a), b: tensor(b) }
    })
    // PEFT draws all masks of A, then all of B.
    const tensors = (part: 'A' | 'B' | 'increment'): TensorSettings => ({
      density,
      sign,
      drawn: (member) => Uint8Array.from(masks[part === 'B' ? adapters.length + member : member]!),
    })
    const pair = pairRules[rule]!(parts, { rank, module: 'module', tensors })
    if (expected.increment) {
      assertNear(increment(pair), expected.increment.flat(), 2e-6)
      if (rank !== null) assert.deepEqual([pair.a.shape[0], pair.b.shape[1]], [rank, rank])
    } else {
      assertNear(pair.a.data, expected.a!.flat(), 1e-6)
      assertNear(pair.b.data, expected.b!.flat(), 1e-6)
    }
  })
}

test('every rule of PEFT has a golden case', () => {
  assert.deepEqual([...new Set(golden.cases.map(({ rule }) => rule))].sort(), Object.keys(pairRules).sort())
})

const settings = {
  rank: null,
  module: 'module',
  tensors: () => ({ density: 0.5, sign: 'total' as const, drawn: () => new Uint8Array() }),
}
const values = (size: number) => fc.array(fc.integer({ min: -40, max: 40 }), { minLength: size, maxLength: size })
const part = (rank: number) =>
  fc.record({ a: values(rank * 6), b: values(5 * rank), weight: fc.integer({ min: 1, max: 4 }) }).map(
    ({ a, b, weight }): Part => ({
      weight: weight / 4,
      scale: 2,
      a: { shape: [rank, 6], data: Float32Array.from(a, (value) => value / 16) },
      b: { shape: [5, rank], data: Float32Array.from(b, (value) => value / 16) },
    }),
  )
const sumOf = (parts: readonly Part[]): Float32Array =>
  linear(
    parts.map(lowRankIncrement),
    parts.map(({ weight }) => weight),
    settings.tensors(),
  )

test('cat is the weighted sum of the increments, and svd at full rank too', () => {
  fc.assert(
    fc.property(part(2), part(1), part(3), (...parts) => {
      assertNear(increment(cat(parts, settings)), sumOf(parts), 1e-5)
      assertNear(increment(svd(parts, { ...settings, rank: 6 })), sumOf(parts), 1e-5)
    }),
  )
})

test('no other approximation of its rank is nearer than svd: what is left out is the tail of singular values', () => {
  fc.assert(
    fc.property(part(2), part(2), (...parts) => {
      const whole = sumOf(parts)
      const kept = increment(svd(parts, { ...settings, rank: 2 }))
      const left = Math.hypot(...whole.map((value, i) => value - kept[i]!))
      for (const own of parts) assert.ok(left <= Math.hypot(...whole.map((value, i) => value - lowRankIncrement(own)[i]!)) + 1e-4)
      assertNear(kept, increment(factorise({ shape: [5, 6], data: whole }, 2)), 1e-3)
    }),
  )
})

test('a dense matrix of either orientation comes back whole at full rank, as orthonormal rows times the rest', () => {
  fc.assert(
    fc.property(values(20), fc.boolean(), (data, wide) => {
      const shape = wide ? [4, 5] : [5, 4]
      const { a, b } = factorise({ shape, data: Float32Array.from(data) }, 4)
      assertNear(increment({ a, b }), data, 1e-5)
      const norms = Array.from({ length: a.shape[0]! }, (_, i) => Math.hypot(...a.data.subarray(i * shape[1]!, (i + 1) * shape[1]!)))
      for (const norm of norms) assert.ok(Math.abs(norm - 1) < 1e-5 || norm < 1e-5, `a row of A has the norm ${norm}`)
    }),
  )
})

test('rules that do not draw give the same in another order, and the same of members that are the same', () => {
  const whole = { ...settings, rank: 6 }
  const names = Object.keys(pairRules).filter((name) => !name.startsWith('dare'))
  fc.assert(
    fc.property(part(2), part(2), part(2), (x, y, z) => {
      for (const name of names) {
        const rule = pairRules[name]!
        const [forth, back] = [rule([x, y, z], whole), rule([z, x, y], whole)]
        assertNear(increment(forth), increment(back), 1e-3, name)
      }
      const third = { ...x, weight: 1 / 3 }
      // PEFT's linear has cross terms, which make it K times the increment.
      assertNear(increment(pairRules.linear!([third, third, third], settings)), lowRankIncrement({ ...x, scale: 3 * x.scale }), 1e-4)
      for (const name of ['cat', 'svd'])
        assertNear(increment(pairRules[name]!([third, third, third], settings)), lowRankIncrement(x), 1e-4, name)
      assertNear(weightedMean([one(1), one(3)], [one(1).data, one(3).data]).data, [2.5], 1e-6)
      assertNear(weightedMean([x.a, x.a], [0.2, 0.6]).data, x.a.data, 1e-6)
      assertNear(
        weightedMean([x.a, y.a], [Float32Array.from(x.a.data, () => 3), 1]).data,
        linear([x.a.data, y.a.data], [0.75, 0.25], settings.tensors()),
        1e-6,
      )
    }),
  )
})
