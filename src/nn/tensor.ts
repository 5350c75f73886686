/** A tensor on the host, row-major. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** The number of elements of a shape. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1)
