import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { greater } from '../graph/ops/elementwise.ts'
import { adamw, gated } from './adamw.ts'
import { stacksOf } from './stacks.ts'

const named = (shapes: Readonly<Record<string, readonly number[]>>, kinds: Readonly<Record<string, string>> = {}) =>
  stacksOf(
    Object.keys(shapes),
    (name) => shapes[name]!,
    (name) => kinds[name] ?? '',
  ).map(({ members }) => members)

test('tensors of one trailing shape are one stack, whatever their first axis', () => {
  assert.deepEqual(named({ a: [8, 5], bias: [5], b: [5, 8], c: [3, 5], norm: [7] }), [['a', 'c'], ['bias', 'norm'], ['b']])
})

test('tensors of different ranks or kinds stay apart', () => {
  assert.deepEqual(named({ a: [4, 2], b: [2, 4, 2], c: [6, 2], d: [6, 2] }, { d: 'spared' }), [['a', 'c'], ['b'], ['d']])
})

test('large tensors and numbers without an axis are alone', () => {
  assert.deepEqual(named({ a: [512, 768], b: [512, 768], scale: [], other: [] }), [['a'], ['b'], ['scale'], ['other']])
})

test('an update of stacks has the bits of updates one by one', async () => {
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(1, 3)), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), async (shapes, seed) => {
      const number = (i: number, j: number): number => Math.sin(seed + 7 * i + 1.3 * j)
      const operands = Object.fromEntries(
        shapes.flatMap(([rows, columns], i) =>
          ['parameter', 'gradient', 'first', 'second'].map((of, o) => {
            const data = Array.from({ length: rows * columns }, (_, j) => (of === 'second' ? number(i, j) ** 2 : number(i + o, j)))
            return [`${of}${i}`, { data, shape: [rows, columns] }]
          }),
        ),
      )
      const results = await compute({ ...operands, rate: operand([0.1]) }, (given) => {
        const scalars = { rate: given.rate!, stepSize: given.rate!, deviation: given.rate! }
        const always = gated(scalars, [0.8, 0.95], greater(given.rate!, 0))
        const settings = { epsilon: 1e-8, weightDecay: 0.1 }
        const of = (name: string, i: number) => given[`${name}${i}`]!
        const places = shapes.map((_, i) => i)
        const stacks = stacksOf(
          places,
          (i) => shapes[i]!,
          () => '',
        )
        const together = stacks.flatMap(({ members, joined, apart }) => {
          const all = (name: string) => joined((i) => of(name, i))
          const old = { parameter: all('parameter'), first: all('first'), second: all('second') }
          const next = adamw(old, all('gradient'), settings, always)
          return Object.entries(next).flatMap(([name, value]) => apart(value).map((each, k) => [`${name} ${members[k]} stacked`, each]))
        })
        const alone = places.flatMap((i) => {
          const old = { parameter: of('parameter', i), first: of('first', i), second: of('second', i) }
          return Object.entries(adamw(old, of('gradient', i), settings, always)).map(([name, value]) => [`${name} ${i}`, value])
        })
        return Object.fromEntries([...together, ...alone])
      })
      for (const i of shapes.keys())
        for (const name of ['parameter', 'first', 'second'])
          assert.deepEqual(results[`${name} ${i} stacked`], results[`${name} ${i}`], `${name} ${i}`)
    }),
    { numRuns: 15 },
  )
})
