import type { TensorSettings } from './tensor-rule.ts'

/** The tensor with all but its largest elements at zero; of equals the first stay. */
export function keepLargest(tensor: Float32Array, density: number): Float32Array {
  if (density >= 1) return tensor
  const sizes = tensor.map(Math.abs).sort()
  const count = Math.floor(density * tensor.length)
  const least = sizes[sizes.length - count] ?? Infinity
  let equals = count - sizes.reduce((larger, size) => larger + (size > least ? 1 : 0), 0)
  return tensor.map((value) => (Math.abs(value) > least || (Math.abs(value) === least && equals-- > 0) ? value : 0))
}

/** DARE (Yu et al. 2024): chance drops elements, and what stays grows so that the mean stays. */
export function dropAndRescale(tensor: Float32Array, member: number, { density, drawn }: TensorSettings): Float32Array {
  if (density >= 1) return tensor
  const stays = drawn(member, tensor.length)
  return tensor.map((value, i) => (stays[i] ? value / density : 0))
}
