import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Row } from './row.ts'
import { drawShots, rowsOfSeed } from './shots.ts'

const rows = Array.from(
  { length: 60 },
  (_, line): Row => ({ values: new Map(Object.entries({ label: line % 3, seed: 10 + (line % 2) })), file: 'a', line }),
)
const classOf = ({ values }: Row): number => values.get('label') as number
const names = ['a', 'b', 'c']

test('so many rows of each class, no row twice, in the file’s order, by the seed alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 10 }), fc.nat(99), (shots, evalShots, seed) => {
      const drawn = drawShots(rows, classOf, names, { shots, evalShots }, seed)
      for (const [part, count] of [
        [drawn.train, shots],
        [drawn.eval, evalShots],
      ] as const) {
        for (const c of [0, 1, 2]) assert.equal(part.filter((row) => classOf(row) === c).length, count)
        assert.deepEqual(
          part.map(({ line }) => line),
          part.map(({ line }) => line).sort((a, b) => a - b),
        )
      }
      assert.equal(new Set([...drawn.train, ...drawn.eval]).size, 3 * (shots + evalShots))
      assert.deepEqual(drawShots(rows, classOf, names, { shots, evalShots }, seed), drawn)
    }),
  )
  const some = (seed: number): number[] => drawShots(rows, classOf, names, { shots: 4, evalShots: 0 }, seed).train.map(({ line }) => line)
  assert.notDeepEqual(some(1), some(2))
})

test('more evaluation rows leave the training rows as they are', () => {
  const train = (evalShots: number): readonly Row[] => drawShots(rows, classOf, names, { shots: 5, evalShots }, 3).train
  assert.deepEqual(train(0), train(9))
})

test('too few rows of a class, and seeds that are not there, are said', () => {
  assert.throws(() => drawShots(rows, classOf, names, { shots: 21, evalShots: 0 }, 1), /"a" has 20 rows, but data\.shots asks for 21/)
  assert.throws(() => drawShots(rows, classOf, names, { shots: 16, evalShots: 5 }, 1), /has 20 rows, but .* ask for 16 and 5/)
  assert.equal(rowsOfSeed(rows, 'seed', 11).length, 30)
  assert.throws(() => rowsOfSeed(rows, 'seed', 12), /no row has the seed 12 in "seed"; there are 10, 11/)
  assert.throws(() => rowsOfSeed(rows, 'sead', 12), /no column "sead"/)
})
