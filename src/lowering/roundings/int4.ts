import { append, external, type Graph, scalar, type Value } from '../../graph/graph.ts'
import { div, mul } from '../../graph/ops/elementwise.ts'
import { concat, reshape, transpose } from '../../graph/ops/movement.ts'
import type { ConvertedCopy } from '../../weights/converted-copy.ts'
import { in4Bits, ZERO } from '../../weights/in-4-bits.ts'
import { type ByteMatrix, byteProducts } from './byte-products.ts'
import { storedBytes } from './int8.ts'
import type { FrozenMatrix, Rounding } from './rounding.ts'

/** The sizes of a block that a row can be of, the first that divides it; the engine's own product knows no smaller ones. */
const BLOCKS = [32, 16] as const
/** A matrix of more weights, as of a whole vocabulary, would take more to be unpacked into than is spared. */
const LARGEST = 2 ** 25

const blockOf = ([, columns]: readonly [number, number]): number | undefined => BLOCKS.find((block) => columns % block === 0)

/** A matrix as it lies in its file: `[rows, blocks, block / 2]` bytes, and the rest as `In4Bits` has it. */
interface Packed {
  readonly block: number
  readonly bytes: Value
  readonly scales: Value
  readonly rowSteps: Value
  readonly columnSteps: Value
}

function packedMatrix(to: Graph, copy: ConvertedCopy | null, { name, shape, range }: FrozenMatrix): Packed {
  const [rows, columns] = shape
  const block = blockOf(shape)!
  const shapes = { bytes: [rows, columns / block, block / 2], scales: [rows, columns / block], rowSteps: [rows], columnSteps: [columns] }
  const stored =
    range &&
    copy?.form(range, shape, 'int4', (matrix) => {
      const { bytes, ...floats } = in4Bits(matrix, shape, block)
      const others = Object.entries(floats).map(([key, data]) => [key, { shape: shapes[key as keyof typeof floats], data }] as const)
      return [['bytes', { shape: shapes.bytes, dtype: 'U8', data: bytes }], ...others]
    })
  const part = (key: keyof typeof shapes, dtype: Value['dtype'] = 'float32'): Value =>
    external(to, `${name} int4 ${key}`, shapes[key], stored?.get(key) ?? null, dtype)
  return { block, bytes: part('bytes', 'uint8'), scales: part('scales'), rowSteps: part('rowSteps'), columnSteps: part('columnSteps') }
}

/** The matrix in 8 bits for one product: with nodes of its own, so that nothing unpacked is kept for another. */
function unpacked(to: Graph, shape: readonly [number, number], packed: Packed, transposed: boolean): ByteMatrix {
  const [rows, columns] = shape
  const { block, bytes, rowSteps, columnSteps } = packed
  const low = append(to, 'BitwiseAnd', [bytes, scalar(to, 15, 'uint8')], [bytes])[0]!
  const high = append(to, 'BitShift', [bytes, scalar(to, 4, 'uint8')], [bytes], { direction: 'RIGHT' })[0]!
  const numbers = concat([low, high], 2)
  const type = { dtype: 'float32', shape: numbers.shape } as const
  const [steps] = append(to, 'DequantizeLinear', [numbers, scalar(to, 1), scalar(to, ZERO, 'uint8')], [type])
  // What is common to a row can be left out where the row is a column of the product, before there is a number for each weight.
  const scales = transposed ? div(packed.scales, reshape(rowSteps, [rows, 1])) : packed.scales
  const told = reshape(mul(steps!, reshape(scales, [rows, columns / block, 1])), shape)
  const values = append(
    to,
    'QuantizeLinear',
    [transposed ? told : div(told, columnSteps), scalar(to, 1), scalar(to, 0, 'int8')],
    [{ dtype: 'int8', shape }],
  )[0]!
  return transposed ? { values: transpose(values, [1, 0]), scales: rowSteps } : { values, scales: columnSteps }
}

/** The rows with the two halves of each block in turns, as the engine pairs the numbers of a byte. */
function interleaved(x: Value, block: number): Value {
  const [rows, columns] = x.shape as [string, number]
  const halves = reshape(x, [rows, columns / block, 2, block / 2])
  return reshape(transpose(halves, [0, 1, 3, 2]), x.shape)
}

/** The engine's own product with a matrix of 4 bits, which it packs when the session opens. */
function packedProduct(x: Value, [N, K]: readonly [number, number], { block, bytes, scales }: Packed): Value {
  const attributes = { K, N, bits: 4, block_size: block, accuracy_level: 4 }
  const integers = Object.fromEntries(Object.entries(attributes).map(([name, int]) => [name, { int }]))
  const type = { dtype: 'float32', shape: [x.shape[0]!, N] } as const
  return append(x.graph, 'MatMulNBits', [x, bytes, scales], [type], integers, 'com.microsoft')[0]!
}

/**
 * Weights in 4 bits, with a scale for each block of a row. One copy serves both directions: it is unpacked to 8 bits for the time of a product.
 * Few rows are not worth that: where the engine packs matrices, rows meet them as they are, by a product that knows no transpose.
 */
export const int4: Rounding = {
  bits: 4,
  most: 0.2,
  fits: (shape) => blockOf(shape) !== undefined,
  products(to, copy, { prepack = false }) {
    const product = byteProducts(to)
    const known = new Map<Value, Value>()
    const inTurns = (x: Value, block: number): Value => {
      if (!known.has(x)) known.set(x, interleaved(x, block))
      return known.get(x)!
    }
    return (x, matrix, transposed) => {
      const { shape } = matrix
      if (shape[0] * shape[1] > LARGEST) return product(x, storedBytes(to, copy, matrix, transposed))
      const packed = packedMatrix(to, copy, matrix)
      if (prepack && transposed) return packedProduct(inTurns(x, packed.block), shape, packed)
      return product(x, unpacked(to, shape, packed, transposed))
    }
  },
}
