import type { Tensor } from '../nn/tensor.ts'

/** `f(x Wᵀ + b)` on the host, summed in doubles. */
export function affine(x: Tensor, weight: Tensor, bias: Tensor, f: (value: number) => number = (value) => value): Tensor {
  const [rows, inner] = x.shape as [number, number]
  const columns = weight.shape[0]!
  const data = new Float32Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = bias.data[j]!
      for (let k = 0; k < inner; k++) sum += x.data[i * inner + k]! * weight.data[j * inner + k]!
      data[i * columns + j] = f(sum)
    }
  }
  return { shape: [rows, columns], data }
}
