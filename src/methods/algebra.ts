import type { Value } from '../graph/graph.ts'
import { add, mul, relu, sigmoid, tanh } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { concat, split } from '../graph/ops/movement.ts'
import type { Tensor } from '../nn/tensor.ts'

/** What a small network over matrices needs, so that it is written once for the graph and for the host. */
export interface Algebra<T> {
  /** `x Wᵀ + b` with W `[out, in]` and b `[out]`. */
  readonly affine: (x: T, weight: T, bias: T) => T
  readonly add: (x: T, y: T) => T
  readonly mul: (x: T, y: T) => T
  readonly relu: (x: T) => T
  readonly tanh: (x: T) => T
  readonly sigmoid: (x: T) => T
  /** Equal parts along an axis. */
  readonly split: (x: T, axis: 0 | 1, parts: number) => T[]
  readonly concat: (parts: readonly T[], axis: 0 | 1) => T
}

export const inGraph: Algebra<Value> = {
  affine: (x, weight, bias) => gemm(x, weight, bias, { transposeB: true }),
  add,
  mul,
  relu,
  tanh,
  sigmoid,
  split,
  concat,
}

const each =
  (f: (value: number) => number) =>
  ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map(f) })
const pairs =
  (f: (a: number, b: number) => number) =>
  (x: Tensor, y: Tensor): Tensor => ({ shape: x.shape, data: x.data.map((value, i) => f(value, y.data[i]!)) })

const sides = ({ shape }: Tensor): [number, number] => [shape[0]!, shape[1]!]

/** Matrices of numbers; products are summed in doubles. */
export const onHost: Algebra<Tensor> = {
  affine(x, weight, bias) {
    const [[rows, inner], columns] = [sides(x), weight.shape[0]!]
    const data = new Float32Array(rows * columns)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = bias.data[j]!
        for (let k = 0; k < inner; k++) sum += x.data[i * inner + k]! * weight.data[j * inner + k]!
        data[i * columns + j] = sum
      }
    }
    return { shape: [rows, columns], data }
  },
  add: pairs((a, b) => a + b),
  mul: pairs((a, b) => a * b),
  relu: each((value) => Math.max(value, 0)),
  tanh: each(Math.tanh),
  sigmoid: each((value) => 1 / (1 + Math.exp(-value))),
  split(x, axis, parts) {
    const [rows, columns] = sides(x)
    const [height, width] = axis === 0 ? [rows / parts, columns] : [rows, columns / parts]
    return Array.from({ length: parts }, (_, part) => {
      const [top, left] = axis === 0 ? [part * height, 0] : [0, part * width]
      const data = new Float32Array(height * width)
      for (let i = 0; i < height; i++) {
        const from = (top + i) * columns + left
        data.set(x.data.subarray(from, from + width), i * width)
      }
      return { shape: [height, width], data }
    })
  },
  concat(parts, axis) {
    const rows = axis === 0 ? parts.reduce((sum, part) => sum + part.shape[0]!, 0) : parts[0]!.shape[0]!
    const columns = axis === 1 ? parts.reduce((sum, part) => sum + part.shape[1]!, 0) : parts[0]!.shape[1]!
    const data = new Float32Array(rows * columns)
    let [top, left] = [0, 0]
    for (const part of parts) {
      const [height, width] = sides(part)
      for (let i = 0; i < height; i++) data.set(part.data.subarray(i * width, (i + 1) * width), (top + i) * columns + left)
      if (axis === 0) top += height
      else left += width
    }
    return { shape: [rows, columns], data }
  },
}
