import type { TensorSettings } from './tensor-rule.ts'

/** The tensor with all but its largest elements at zero; of equals the first stay. */
export function keepLargest(tensor: Float32Array, density: number): Float32Array {
  if (density >= 1) return tensor
  const order = Array.from(tensor, (_, i) => i).sort((i, j) => Math.abs(tensor[j]!) - Math.abs(tensor[i]!) || i - j)
  const pruned = new Float32Array(tensor.length)
  for (const i of order.slice(0, Math.floor(density * tensor.length))) pruned[i] = tensor[i]!
  return pruned
}

/** DARE (Yu et al. 2024): chance drops elements, and what stays grows so that the mean stays. */
export function dropAndRescale(tensor: Float32Array, member: number, { density, drawn }: TensorSettings): Float32Array {
  if (density >= 1) return tensor
  const stays = drawn(member, tensor.length)
  return tensor.map((value, i) => (stays[i] ? value / density : 0))
}
