/** A tensor on the host, row-major. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** The number of elements of a shape. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1)

/** The sum of squares: the square of the Frobenius norm. */
export const squaredNorm = (data: Float32Array): number => data.reduce((sum, value) => sum + value * value, 0)

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

/** Whether `test` holds at each place in `data` of the slice at `index` of an axis. */
function everyInSlice(shape: readonly number[], axis: number, index: number, test: (at: number) => boolean): boolean {
  const outer = elementCount(shape.slice(0, axis))
  const inner = elementCount(shape.slice(axis + 1))
  for (let i = 0; i < outer; i++) {
    const start = (i * shape[axis]! + index) * inner
    for (let at = start; at < start + inner; at++) if (!test(at)) return false
  }
  return true
}

/** Sets the slice at `index` of an axis to zero, in place. */
export function clearSlice({ shape, data }: Tensor, axis: number, index: number): void {
  everyInSlice(shape, axis, index, (at) => {
    data[at] = 0
    return true
  })
}

/** Whether the slice at `index` of an axis is all zero. */
export const isZeroSlice = ({ shape, data }: Tensor, axis: number, index: number): boolean =>
  everyInSlice(shape, axis, index, (at) => data[at] === 0)

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
