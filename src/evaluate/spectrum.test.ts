import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { assertNear, disturb, prepare, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { adalora } from '../methods/adalora.ts'
import { bitfit } from '../methods/bitfit.ts'
import { lora } from '../methods/lora.ts'
import { lowRankIncrement } from '../methods/low-rank.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { singularValues, spectra } from './spectrum.ts'

const random = (rows: number, columns: number, seed: number) => ({
  shape: [rows, columns],
  data: normals(rows * columns, keyOf('spectrum', seed, rows, columns), { mean: 0, deviation: 1 }),
})

test('the values of a product are those of the dense increment, whatever the shapes', () => {
  const size = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(size, size, size, fc.integer(), (rank, inner, out, seed) => {
      const factors = { a: random(rank, inner, seed), b: random(out, rank, seed + 1), scale: -1.5 }
      const dense = Matrix.from1DArray(out, inner, lowRankIncrement(factors))
      const expected = new SingularValueDecomposition(dense, { autoTranspose: true }).diagonal.sort((a, b) => b - a)
      const given = singularValues(factors)
      const count = Math.min(rank, inner, out)
      assertNear(given.slice(0, count), expected.slice(0, count), 1e-5)
      assert.ok([...given.slice(count), ...expected.slice(count)].every((value) => value < 1e-5))
    }),
    { numRuns: 60 },
  )
})

test('with orthonormal factors they are the scaled singular values that AdaLoRA holds, and only then', () => {
  const { method, state, shape } = prepare(tinySubject(), adalora, { initR: 2, targetR: 1, alpha: 4, targets: ['query'] })
  const [one, two] = [0, 1].map((layer) => `bert.encoder.layer.${layer}.attention.self.query`) as [string, string]
  for (const name of [one, two]) {
    state.get(`${name}.E.weight`)!.data.set([-0.5, 3])
    for (const role of ['A', 'B']) state.get(`${name}.${role}.weight`)!.data.fill(0)
    state.get(`${name}.A.weight`)!.data.set([1])
    state.get(`${name}.A.weight`)!.data.set([1], 16 + 5)
    state.get(`${name}.B.weight`)!.data.set([0, 1, 1, 0])
  }
  const scale = 4 / 2.00001
  const [first, second] = spectra(shape, method, state)
  assert.deepEqual([first!.module, second!.module, first!.rank, first!.lambda], [one, two, 2, [3, 0.5]])
  assertNear(first!.singularValues, [3 * scale, 0.5 * scale], 1e-6)
  assert.ok(Math.abs(first!.scale - scale) < 1e-9)
  // Two equal rows of A make one direction of two.
  state.get(`${two}.A.weight`)!.data.copyWithin(16, 0, 16)
  assertNear(spectra(shape, method, state)[1]!.singularValues, [Math.hypot(3, 0.5) * scale, 0], 1e-6)
})

test('LoRA has singular values alone, BitFit has none, and a module without rank is left out', () => {
  const subject = tinySubject()
  const { method, state, shape } = prepare(subject, lora, { r: 3 })
  disturb(state, /B\.weight$/)
  const found = spectra(shape, method, state)
  assert.deepEqual(
    found.map(({ rank, lambda, singularValues: { length } }) => [rank, lambda, length]),
    new Array(4).fill([3, null, 3]),
  )
  const plain = prepare(subject, bitfit)
  assert.deepEqual(spectra(plain.shape, plain.method, plain.state), [])
  const query = (layer: number): string => `bert.encoder.layer.${layer}.attention.self.query`
  const kept = { [query(0)]: [false, false], [query(1)]: [true, false] }
  const options = { initR: 2, targetR: 1, targets: ['query'] }
  const pruned = prepare(subject, adalora, options, { memory: { kept, shrunk: true, ranks: null } })
  assert.deepEqual(
    spectra(pruned.shape, pruned.method, pruned.state).map(({ module, rank }) => [module, rank]),
    [[query(1), 1]],
  )
})
