import { UserError } from '../errors.ts'
import type { ParameterSpec } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'
import { linearNames, readLinear } from '../nn/stored-linear.ts'
import { keyOf } from '../random/key.ts'
import type { Setting } from './definition.ts'
import { kaimingUniform, normal, zeros } from './initial.ts'
import { type Dense, singularFactors, triangularFactors } from './leading-factors.ts'

/** How a module's factors start: A `[r, in]` and B `[out, r]`. */
interface Start {
  readonly a: ParameterSpec['init']
  readonly b: ParameterSpec['init']
}

/** What of the weight W the factors take over, so that W less `s B A` is what is left to the base model. */
type TakenOver = (weight: Dense, rank: number, scale: number, site: LinearSite) => { readonly a: Float64Array; readonly b: Float64Array }

/** PiSSA (Meng et al. 2024): the largest singular values of W, `B = U √(S/s)` and `A = √(S/s) Vᵀ`. */
const pissa: TakenOver = (weight, rank, scale, { name }) => {
  const { left, right } = singularFactors(weight, rank, keyOf('pissa', name))
  const root = Math.sqrt(scale)
  return { a: right.map((value) => value / root), b: left.map((value) => value / root) }
}

/** OLoRA (Büyükakyüz 2024): B the first columns of Q and A the first rows of R, of W = Q R. */
const olora: TakenOver = (weight, rank) => {
  const { left, right } = triangularFactors(weight, rank)
  return { a: right, b: left }
}

const takenOver: Readonly<Record<string, TakenOver>> = { pissa, olora }

export const loraStarts = ['default', 'gaussian', 'pissa', 'olora'] as const
export type LoraStart = (typeof loraStarts)[number]

/** Whether the factors take over a part of the base model, which is then subtracted from it. */
export const takesOver = (init: LoraStart): boolean => init in takenOver

/** How factors start at a site. The weight is read and decomposed when the first of them is asked for. */
export function loraStart(init: LoraStart, site: LinearSite, { rank, scale }: { rank: number; scale: number }, setting: Setting): Start {
  const [a, b] = [[rank, site.in] as const, [site.out, rank] as const]
  const take = takenOver[init]
  // HF PEFT's "gaussian" has the standard deviation 1/r.
  if (!take) return { a: init === 'gaussian' ? normal(a, 1 / rank) : kaimingUniform(a), b: zeros(b) }
  let factors: ReturnType<TakenOver> | null = null
  const decomposed = () => {
    const stored = linearNames(site).weight
    const weight = setting.tensor(stored)
    if (!weight) throw new UserError(`lora: init "${init}" starts from the model's weights, and it has no "${stored}".`)
    if (rank > Math.min(site.in, site.out)) {
      throw new UserError(`lora: init "${init}" takes ranks up to ${Math.min(site.in, site.out)} at "${site.name}", but r is ${rank}.`)
    }
    factors ??= take(
      { rows: site.out, columns: site.in, data: Float64Array.from(readLinear(site, weight.data, null).weight) },
      rank,
      scale,
      site,
    )
    return factors
  }
  return { a: () => Float32Array.from(decomposed().a), b: () => Float32Array.from(decomposed().b) }
}
