import { onHost } from '../methods/algebra.ts'
import type { Tensor } from '../nn/method.ts'

/** Tensors `[rows, width]` side by side. */
export const joined = (parts: readonly Tensor[]): Tensor => onHost.concat(parts, 1)

/** The parts of a tensor `[rows, width]` that lie side by side, all of one width, each under its name. */
export const separated = (whole: Tensor, parts: readonly { readonly name: string }[]): [string, Tensor][] =>
  onHost.split(whole, 1, parts.length).map((part, i) => [parts[i]!.name, part])
