import { onHost } from '../methods/algebra.ts'
import { type Method, parameterName, type Tensor } from '../nn/method.ts'
import type { Subject } from './adapter.ts'

/** The parameters that lie side by side in a row of one tensor: a prompt's one, or the key and value of each attention in turn. */
export function columns(method: Method, { outline }: Subject): { name: string; shape: readonly number[] }[] {
  return outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]) => ({ name: parameterName(site, role), shape })),
  )
}

/** Tensors `[rows, width]` side by side. */
export const joined = (parts: readonly Tensor[]): Tensor => onHost.concat(parts, 1)

/** The parts of a tensor `[rows, width]` that lie side by side, all of one width, each under its name. */
export const separated = (whole: Tensor, parts: readonly { readonly name: string }[]): [string, Tensor][] =>
  onHost.split(whole, 1, parts.length).map((part, i) => [parts[i]!.name, part])
