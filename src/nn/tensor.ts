/** A tensor on the host, row-major. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** The number of elements of a shape. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1)

/** The slices of a tensor at `indices` of an axis. */
export function sliceTensor({ shape, data }: Tensor, axis: number, indices: readonly number[]): Tensor {
  const outer = elementCount(shape.slice(0, axis))
  const inner = elementCount(shape.slice(axis + 1))
  const result = new Float32Array(outer * indices.length * inner)
  let at = 0
  for (let i = 0; i < outer; i++) {
    for (const index of indices) {
      const start = (i * shape[axis]! + index) * inner
      result.set(data.subarray(start, start + inner), at)
      at += inner
    }
  }
  return { shape: shape.map((dim, i) => (i === axis ? indices.length : dim)), data: result }
}

/** The part of a tensor from its first element on, of a shape that fits in it. */
export const leadingPart = (tensor: Tensor, shape: readonly number[]): Tensor =>
  shape.reduce(
    (part, size, axis) =>
      part.shape[axis] === size
        ? part
        : sliceTensor(
            part,
            axis,
            Array.from({ length: size }, (_, i) => i),
          ),
    tensor,
  )
