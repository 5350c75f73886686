import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { backward } from '../autodiff/backward.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { orthogonality } from './orthogonality.ts'

type Matrix = readonly (readonly number[])[]

/** The penalty of one module and its gradient for both factors. */
async function penalty(a: Matrix, b: Matrix, weight = 1): Promise<{ value: number; gradients: number[] }> {
  const { value, da, db } = await compute({ a: operand(a), b: operand(b) }, ({ a: left, b: right }) => {
    const loss = orthogonality([{ 'A.weight': left!, 'B.weight': right! }], weight)!
    const [toA, toB] = backward(loss, [left!, right!])
    return { value: loss, da: toA!, db: toB! }
  })
  return { value: value![0]!, gradients: [...da!, ...db!] }
}

const identity = [
  [1, 0],
  [0, 1],
]

test('orthonormal factors have no penalty and the gradient 0', async () => {
  const tall = [
    [0.6, -0.8],
    [0.8, 0.6],
    [0, 0],
  ]
  const { value, gradients } = await penalty(
    [
      [0, 1, 0],
      [1, 0, 0],
    ],
    tall,
  )
  assert.ok(Math.abs(value) < 1e-15)
  assert.ok(gradients.every((gradient) => Number.isFinite(gradient)))
  assert.deepEqual((await penalty(identity, identity)).gradients, new Array(8).fill(0))
  assert.deepEqual((await penalty([[0, 1]], [[1], [0], [0]])).gradients, new Array(5).fill(0))
})

test('A twice the identity and B orthonormal give half the norm of three times the identity', async () => {
  assert.ok(
    Math.abs(
      (
        await penalty(
          [
            [2, 0],
            [0, 2],
          ],
          identity,
        )
      ).value - 2.121320343559643,
    ) < 1e-12,
  )
})

test('the penalty and its gradient are proportional to the weight', async () => {
  const [a, b] = [
    [
      [1, 2, 0],
      [0, -1, 1],
    ],
    [
      [1, 0.5],
      [2, 0],
    ],
  ]
  const [one, three] = [await penalty(a, b), await penalty(a, b, 3)]
  assert.ok(Math.abs(three.value - 3 * one.value) < 1e-12)
  one.gradients.forEach((gradient, i) => {
    assert.ok(Math.abs(three.gradients[i]! - 3 * gradient) < 1e-12)
  })
  assert.equal(orthogonality([], 1), null)
})

test('the gradient agrees with finite differences', async () => {
  const draw = (rows: number, columns: number): number[][] =>
    Array.from({ length: rows }, (_, i) => Array.from(normals(columns, keyOf('factor', rows, i), { mean: 0, deviation: 0.7 })))
  const [a, b] = [draw(2, 4), draw(3, 2)]
  const { gradients } = await penalty(a, b, 0.7)
  for (const [at, gradient] of gradients.entries()) {
    const moved = async (by: number): Promise<number> => {
      const shift = (matrix: number[][], from: number): number[][] =>
        matrix.map((row, i) => row.map((x, j) => (from + i * row.length + j === at ? x + by : x)))
      return (await penalty(shift(a, 0), shift(b, 8), 0.7)).value
    }
    const numeric = ((await moved(1e-6)) - (await moved(-1e-6))) / 2e-6
    assert.ok(Math.abs(numeric - gradient) < 1e-7, `${at}: ${gradient}, by differences ${numeric}`)
  }
})

test('factors as AdaLoRA draws them have the expected penalty, masked rows included', async () => {
  const draw = (shape: readonly number[], key: string) => ({
    shape,
    data: Array.from(normals(768 * 12, keyOf(key), { mean: 0, deviation: 0.02 })),
  })
  const { value } = await compute({ a: draw([12, 768], 'a'), b: draw([768, 12], 'b') }, ({ a, b }) => ({
    value: orthogonality([{ 'A.weight': a!, 'E.weight': a!, 'B.weight': b! }], 1)!,
  }))
  assert.ok(Math.abs(value![0]! - 2.404) < 0.03, String(value))
})

test('the penalty is a mean over the factors of all modules', async () => {
  const two = operand([
    [2, 0],
    [0, 2],
  ])
  const { value } = await compute({ two, one: operand(identity) }, ({ two: a, one: b }) => ({
    value: orthogonality(
      [
        { 'A.weight': a!, 'B.weight': b! },
        { 'A.weight': b!, 'B.weight': b! },
        { 'A.weight': b!, 'B.weight': a! },
      ],
      1,
    )!,
  }))
  assert.ok(Math.abs(value![0]! - (2 * 3 * Math.SQRT2) / 6) < 1e-12)
})
