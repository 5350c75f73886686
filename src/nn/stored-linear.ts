import type { LinearWeights } from './method.ts'
import type { LinearSite, Stored } from './site.ts'
import type { Tensor } from './tensor.ts'

const storedAs = ({ stored, name }: LinearSite): Stored => stored ?? { module: name, transposed: false, part: 0, parts: 1 }

/** The checkpoint's names of a linear map's tensors. */
export function linearNames(site: LinearSite): { readonly weight: string; readonly bias: string } {
  const { module } = storedAs(site)
  return { weight: `${module}.weight`, bias: `${module}.bias` }
}

/** For each element of the weight `[out, in]`, its place in the stored tensor. */
function placeOf(site: LinearSite): (i: number) => number {
  const { transposed, part, parts } = storedAs(site)
  const { in: inner, out } = site
  const first = part * out
  if (!transposed) return (i) => first * inner + i
  return (i) => (i % inner) * out * parts + first + Math.floor(i / inner)
}

/** The weight `[out, in]` and bias `[out]` of a linear map, of tensors as the checkpoint has them. */
export function readLinear(site: LinearSite, weight: Float32Array, bias: Float32Array | null): LinearWeights {
  const [place, first] = [placeOf(site), storedAs(site).part * site.out]
  return {
    weight: Float32Array.from({ length: site.out * site.in }, (_, i) => weight[place(i)]!),
    bias: bias?.slice(first, first + site.out) ?? null,
  }
}

/** Tensors as the checkpoint has them, `weight` and `bias`, with other numbers in the place of a linear map's. */
export function writeLinear(
  site: LinearSite,
  made: LinearWeights,
  { weight, bias }: LinearWeights,
): { readonly weight: Tensor; readonly bias: Tensor | null } {
  const { transposed, part, parts } = storedAs(site)
  const place = placeOf(site)
  const data = weight.slice()
  made.weight.forEach((value, i) => {
    data[place(i)] = value
  })
  const added = bias?.slice() ?? null
  if (made.bias) added?.set(made.bias, part * site.out)
  return {
    weight: { shape: transposed ? [site.in, site.out * parts] : [site.out * parts, site.in], data },
    bias: added && { shape: [site.out * parts], data: added },
  }
}
