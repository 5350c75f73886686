import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { from4Bits } from '../../test/behaviour/from-4-bits.ts'
import { backward } from '../autodiff/backward.ts'
import { createGraph, external, type Graph, input, output } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { executionOrder, peakBytes } from '../onnx/order.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { openSession } from '../runtime/node.ts'
import type { Feeds } from '../runtime/session.ts'
import { convertedCopy } from '../weights/converted-copy.ts'
import { in4Bits } from '../weights/in-4-bits.ts'
import { readHeader } from '../weights/safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import { roundedProducts } from './frozen-products.ts'
import { int4 } from './roundings/int4.ts'
import { int8 } from './roundings/int8.ts'
import type { Rounding } from './roundings/rounding.ts'

const folder = mkdtempSync(join(tmpdir(), 'adatune-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const shapes = { wide: [48, 64], deep: [96, 32], halved: [20, 16] } as const
type Name = keyof typeof shapes
const random = (name: string, size: number): Float32Array => normals(size, keyOf('products', name), { mean: 0, deviation: 1 })
const weights = Object.fromEntries(Object.entries(shapes).map(([name, [rows, columns]]) => [name, random(name, rows * columns)])) as Record<
  Name,
  Float32Array
>
const file = join(folder, 'model.safetensors')
writeSafetensors(
  file,
  Object.entries(shapes).map(([name, shape]) => [name, { shape, data: weights[name as Name] }] as const),
)
const { tensors } = readHeader(file)

/** `x W` or `x Wᵀ`, and the gradient in `x` of the sum of its products with `g`. */
function graphOf(name: Name, transposed: boolean): Graph {
  const graph = createGraph()
  const [inner, outer] = transposed ? shapes[name].toReversed() : shapes[name]
  const x = input(graph, 'x', 'float32', ['tokens', inner!])
  const g = input(graph, 'g', 'float32', ['tokens', outer!])
  const product = gemm(x, external(graph, name, shapes[name], tensors.get(name)!), null, { transposeB: transposed })
  const [gradient] = backward(reduceSum(mul(product, g), { axes: [0, 1] }), [x])
  output(graph, 'product', product)
  output(graph, 'gradient', gradient!)
  return graph
}

/** The same in double precision, with other weights of that shape. */
function reference(name: Name, transposed: boolean, matrix: Float32Array, { x, g }: Feeds): Record<'product' | 'gradient', number[]> {
  const [rows, columns] = shapes[name]
  const [inner, outer] = transposed ? [columns, rows] : [rows, columns]
  const at = (i: number, j: number): number => matrix[transposed ? j * columns + i : i * columns + j]!
  const count = x!.data.length / inner
  const sum = (size: number, term: (i: number) => number): number =>
    Array.from({ length: size }, (_, i) => term(i)).reduce((a, b) => a + b, 0)
  const product = Array.from({ length: count * outer }, (_, o) =>
    sum(inner, (i) => x!.data[Math.floor(o / outer) * inner + i]! * at(i, o % outer)),
  )
  const gradient = Array.from({ length: count * inner }, (_, o) =>
    sum(outer, (j) => g!.data[Math.floor(o / inner) * outer + j]! * at(o % inner, j)),
  )
  return { product, gradient }
}

const norm = (values: Iterable<number>): number => Math.sqrt([...values].reduce((sum, value) => sum + value ** 2, 0))
const off = (found: ArrayLike<number>, exact: readonly number[]): number => norm(exact.map((value, i) => value - found[i]!)) / norm(exact)

async function run(graph: Graph, feeds: Feeds, prepack: boolean) {
  const session = await openSession(graph, { prepack })
  const results = await session.run(feeds)
  await session.close()
  return results
}

/** What the rows of a product and of a gradient may be off by, of normal weights: against what the bits tell, and against the weights. */
const forms = [
  { rounding: int8, told: 0.02, weights: 0.02, read: (name: Name) => weights[name] },
  {
    rounding: int4,
    told: 0.02,
    weights: 0.13,
    read: (name: Name) => {
      const block = shapes[name][1] % 32 === 0 ? 32 : 16
      return from4Bits(in4Bits(weights[name], shapes[name], block), block)
    },
  },
] as const

for (const form of forms) {
  const { rounding } = form
  const copy = convertedCopy(tensors, folder, `int${rounding.bits}`)
  const cases = (Object.keys(shapes) as Name[]).flatMap((name) =>
    [true, false].flatMap((transposed) => [false, true].map((prepack) => ({ name, transposed, prepack }))),
  )

  test(`products and gradients of weights in ${rounding.bits} bits are those of what the bits tell, each way, packed or not`, async () => {
    for (const { name, transposed, prepack } of cases) {
      const plain = graphOf(name, transposed)
      const lowered = roundedProducts(plain, { rounding, copy }, { prepack })
      assert.ok(!lowered.nodes.some(({ op }) => op === 'Gemm'))
      const feedOf = (what: string) => {
        const width = plain.inputs.get(what)!.shape[1] as number
        return { shape: [5, width], data: random(what, 5 * width) }
      }
      const feeds = { x: feedOf('x'), g: feedOf('g') }
      const found = await run(lowered, feeds, prepack)
      const [told, exact] = [form.read(name), weights[name]].map((matrix) => reference(name, transposed, matrix, feeds))
      for (const key of ['product', 'gradient'] as const) {
        const what = `${key} of ${name}${transposed ? ' transposed' : ''}${prepack ? ', packed' : ''}`
        assert.ok(off(found[key]!.data, told![key]) < form.told, `${what}: ${off(found[key]!.data, told![key])}`)
        assert.ok(off(found[key]!.data, exact![key]) < form.weights, `${what}: ${off(found[key]!.data, exact![key])}`)
      }
    }
  })

  test(`a row's product with weights in ${rounding.bits} bits does not depend on the rows beside it`, async () => {
    for (const { name, transposed, prepack } of cases) {
      const lowered = roundedProducts(graphOf(name, transposed), { rounding, copy }, { prepack })
      const widths = ['x', 'g'].map((what) => lowered.inputs.get(what)!.shape[1] as number)
      // The rows beside it are a thousand times as large.
      const feeds = (count: number): Feeds =>
        Object.fromEntries(
          ['x', 'g'].map((what, i) => {
            const data = random(`${what} beside`, count * widths[i]!)
            data.subarray(widths[i]!).forEach((value, at, rest) => {
              rest[at] = 1000 * value
            })
            return [what, { shape: [count, widths[i]!], data }]
          }),
        )
      const [alone, beside] = [await run(lowered, feeds(1), prepack), await run(lowered, feeds(9), prepack)]
      for (const key of ['product', 'gradient']) {
        const row = [...alone[key]!.data]
        const most = Math.max(...row.map(Math.abs))
        row.forEach((value, i) => {
          assert.ok(Math.abs(value - beside[key]!.data[i]!) <= 1e-6 * most, `${key} of ${name}`)
        })
      }
    }
  })
}

test('a matrix whose rows are no blocks stays in float32, and one too large to be unpacked has 8 bits', () => {
  assert.deepEqual(
    [
      [32, 32],
      [32, 48],
      [32, 40],
    ].map((shape) => int4.fits(shape as [number, number])),
    [true, true, false],
  )
  const externals = (shape: readonly [number, number]): string[] => {
    const graph = createGraph()
    output(
      graph,
      'product',
      gemm(input(graph, 'x', 'float32', ['tokens', shape[1]]), external(graph, 'w', shape, null), null, { transposeB: true }),
    )
    return [...roundedProducts(graph, { rounding: int4, copy: null }).externals.keys()].filter((name) => name !== 'w')
  }
  assert.deepEqual(externals([2 ** 10, 2 ** 15]), ['w int4 bytes', 'w int4 scales', 'w int4 rowSteps', 'w int4 columnSteps'])
  assert.deepEqual(externals([2 ** 10 + 1, 2 ** 15]), ['w transposed int8', 'w transposed scales'])
})

/** A chain of products with matrices, forward and backward. */
function chain(rounding: Rounding, layers: number): Graph {
  const size = 256
  const graph = createGraph()
  const x = input(graph, 'x', 'float32', ['tokens', size])
  let last = x
  for (let layer = 0; layer < layers; layer++)
    last = gemm(last, external(graph, `w${layer}`, [size, size], null), null, { transposeB: true })
  output(graph, 'gradient', backward(reduceSum(mul(last, last), { axes: [0, 1] }), [x])[0]!)
  return roundedProducts(graph, { rounding, copy: null })
}

test('a matrix in 4 bits is unpacked just before its product, and no two of a chain lie unpacked together', () => {
  const unpackedAt = executionOrder(chain(int4, 6)).flatMap(({ op, outputs }) =>
    op === 'MatMulIntegerToFloat' ? ['product'] : outputs[0]?.dtype === 'int8' && op === 'QuantizeLinear' ? ['unpacked'] : [],
  )
  assert.deepEqual(unpackedAt, Array(12).fill(['unpacked', 'product']).flat())
  const beyond = (layers: number): number => peakBytes(chain(int4, layers), { tokens: 1 }) - peakBytes(chain(int8, layers), { tokens: 1 })
  assert.ok(beyond(6) <= beyond(2) + 1e4, `${beyond(2)} to ${beyond(6)} bytes`)
})
