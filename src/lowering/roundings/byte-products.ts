import type { Dim } from '../../graph/dim.ts'
import { append, constant, type Graph, scalar, type Value } from '../../graph/graph.ts'
import { maximum, mul, neg } from '../../graph/ops/elementwise.ts'
import { expand, reshape } from '../../graph/ops/movement.ts'
import { reduceMax, reduceMin } from '../../graph/ops/reduction.ts'

/** Keeps rows of zeros from a scale of zero. */
const TINY = 2 ** -100
/** What stands for 0 in rows of bytes; a row's largest value is 127 steps away. */
const ZERO = 128

/** Rows in bytes, and what each is multiplied by, `[rows, 1]`. */
interface ByteRows {
  readonly bytes: Value
  readonly scales: Value
}

/** A matrix in whole numbers, `[inner, columns]` int8, and what each column is multiplied by, `[columns]`. */
export interface ByteMatrix {
  readonly values: Value
  readonly scales: Value
}

/**
 * Builds products in whole numbers in a graph. Each row has 8 bits by its own largest value, so that none depends on the others of its batch;
 * rows that several products read are made bytes once. They are there before the engine turns to what makes the matrix, which may be large
 * and is best made just before its product: the scales of the rows were built before the product.
 */
export function byteProducts(to: Graph): (x: Value, matrix: ByteMatrix) => Value {
  const zeros = new Map<Dim, Value>()
  const zerosOf = (rows: Dim): Value => {
    if (!zeros.has(rows)) zeros.set(rows, expand(constant(to, [ZERO], [1], 'uint8'), [rows]))
    return zeros.get(rows)!
  }
  const known = new Map<Value, ByteRows>()
  const inBytes = (x: Value): ByteRows => {
    if (!known.has(x)) {
      const rows = x.shape[0]!
      const largest = maximum([reduceMax(x, { axes: [1] }), neg(reduceMin(x, { axes: [1] })), scalar(to, TINY)])
      const scales = mul(largest, 1 / 127)
      const bytes = append(to, 'QuantizeLinear', [x, scales, zerosOf(rows)], [{ dtype: 'uint8', shape: x.shape }], { axis: { int: 0 } })
      known.set(x, { bytes: bytes[0]!, scales: reshape(scales, [rows, 1]) })
    }
    return known.get(x)!
  }
  return (x, { values, scales }) => {
    const rows = inBytes(x)
    const operands = [rows.bytes, values, scalar(to, 1), scales, scalar(to, ZERO, 'uint8')]
    const type = { dtype: 'float32', shape: [x.shape[0]!, values.shape[1]!] } as const
    return mul(append(to, 'MatMulIntegerToFloat', operands, [type], {}, 'com.microsoft')[0]!, rows.scales)
  }
}
