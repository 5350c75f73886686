import { external, type Graph } from '../../graph/graph.ts'
import type { ConvertedCopy } from '../../weights/converted-copy.ts'
import { in8Bits } from '../../weights/in-8-bits.ts'
import { type ByteMatrix, byteProducts } from './byte-products.ts'
import type { FrozenMatrix, Rounding } from './rounding.ts'

/** The matrix, or its transpose, in 8 bits by columns, from a file of its own. */
export function storedBytes(to: Graph, copy: ConvertedCopy | null, { name, shape, range }: FrozenMatrix, transposed: boolean): ByteMatrix {
  const read = transposed ? shape.toReversed() : shape
  const stored =
    range &&
    copy?.form(range, shape, `${transposed ? 'transposed.' : ''}int8`, (matrix) => {
      const { values, scales } = in8Bits(matrix, shape, transposed)
      return [
        ['values', { shape: read, dtype: 'I8', data: values }],
        ['scales', { shape: [scales.length], data: scales }],
      ]
    })
  const form = `${name}${transposed ? ' transposed' : ''}`
  return {
    values: external(to, `${form} int8`, read, stored?.get('values') ?? null, 'int8'),
    scales: external(to, `${form} scales`, read.slice(1), stored?.get('scales') ?? null),
  }
}

/** Weights in 8 bits a column of the product: a matrix and its transpose are two copies. */
export const int8: Rounding = {
  bits: 8,
  most: 0.05,
  fits: () => true,
  products(to, copy) {
    const product = byteProducts(to)
    return (x, matrix, transposed) => product(x, storedBytes(to, copy, matrix, transposed))
  },
}
