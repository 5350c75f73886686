import type { FileRange, Graph, Value } from '../../graph/graph.ts'
import type { ConvertedCopy } from '../../weights/converted-copy.ts'

/** A frozen matrix `[rows, columns]` by its name in the checkpoint; `range` is null where only shapes are of interest. */
export interface FrozenMatrix {
  readonly name: string
  readonly shape: readonly [number, number]
  readonly range: FileRange | null
}

/** The product of rows with a frozen matrix, or with its transpose. */
export type FrozenProduct = (x: Value, matrix: FrozenMatrix, transposed: boolean) => Value

export interface Lowering {
  /** Whether the engine packs constant matrices, for products of a few rows. */
  readonly prepack?: boolean
}

/** A form of frozen matrices with less bits, and how their products are made from it. */
export interface Rounding {
  /** Of a weight. */
  readonly bits: number
  /** A product that would be off by more than this share of its norm stays in float32. */
  readonly most: number
  /** Whether a matrix of such a shape has this form. */
  fits(shape: readonly [number, number]): boolean
  /** Builds products in a graph; each operand is prepared once. Without a copy only shapes are of interest. */
  products(to: Graph, copy: ConvertedCopy | null, lowering: Lowering): FrozenProduct
}
