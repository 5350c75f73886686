import { type Method, parameterName, type Tensor } from '../nn/method.ts'
import type { Subject } from './adapter.ts'

/** The parameters that lie side by side in a row of one tensor: a prompt's one, or the key and value of each attention in turn. */
export function columns(method: Method, { outline }: Subject): { name: string; shape: readonly number[] }[] {
  return outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]) => ({ name: parameterName(site, role), shape })),
  )
}

/** Tensors `[rows, width]` side by side. */
export function joined(parts: readonly Tensor[]): Tensor {
  const rows = parts[0]!.shape[0]!
  const widths = parts.map(({ shape }) => shape[1]!)
  const width = widths.reduce((sum, each) => sum + each, 0)
  const data = new Float32Array(rows * width)
  let at = 0
  for (const [i, { data: part }] of parts.entries()) {
    const own = widths[i]!
    for (let row = 0; row < rows; row++) data.set(part.subarray(row * own, (row + 1) * own), row * width + at)
    at += own
  }
  return { shape: [rows, width], data }
}

/** The parts of a tensor `[rows, width]` that lie side by side, each under its name. */
export function separated({ shape, data }: Tensor, parts: readonly { name: string; shape: readonly number[] }[]): [string, Tensor][] {
  const [rows, width] = shape as [number, number]
  let at = 0
  return parts.map(({ name, shape: own }) => {
    const size = own[1]!
    const part = new Float32Array(rows * size)
    for (let row = 0; row < rows; row++) part.set(data.subarray(row * width + at, row * width + at + size), row * size)
    at += size
    return [name, { shape: own, data: part }]
  })
}
