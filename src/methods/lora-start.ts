import { UserError } from '../errors.ts'
import type { ParameterSpec } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'
import { linearNames, readLinear } from '../nn/stored-linear.ts'
import type { Setting } from './definition.ts'
import { kaimingUniform, normal, zeros } from './initial.ts'
import { applied, columnsOf, type Dense, extend, truncatedSvd } from './truncated-svd.ts'

/** How a module's factors start: A `[r, in]` and B `[out, r]`. */
interface Start {
  readonly a: ParameterSpec['init']
  readonly b: ParameterSpec['init']
}

/** What of the weight W the factors take over, so that W less `s B A` is what is left to the base model. */
type TakenOver = (weight: Dense, rank: number, scale: number) => { readonly a: Float64Array; readonly b: Float64Array }

/** A matrix by its rows, one after the other, and by its columns. */
const ofRows = (rows: readonly Float64Array[]): Float64Array => Float64Array.from(rows.flatMap((row) => [...row]))
const ofColumns = (columns: readonly Float64Array[]): Float64Array =>
  Float64Array.from(
    { length: columns.length * columns[0]!.length },
    (_, i) => columns[i % columns.length]![Math.floor(i / columns.length)]!,
  )

/** PiSSA (Meng et al. 2024): the largest singular values of W, `B = U √(S/s)` and `A = √(S/s) Vᵀ`. */
const pissa: TakenOver = (weight, rank, scale) => {
  const found = truncatedSvd(weight, rank)
  const sized = (side: 'left' | 'right') => found.map((one) => one[side].map((x) => Math.sqrt(one.value / scale) * x))
  return { a: ofRows(sized('right')), b: ofColumns(sized('left')) }
}

/** OLoRA (Büyükakyüz 2024): B the first columns of Q and A the first rows of R, of W = Q R. */
const olora: TakenOver = (weight, rank) => {
  const columns = columnsOf(weight)
  const basis: Float64Array[] = []
  extend(
    basis,
    columns.slice(0, rank).map((column) => column.slice()),
  )
  // Columns that depend on those before them bring no direction.
  while (basis.length < rank) basis.push(new Float64Array(weight.rows))
  return { a: ofRows(applied(columns, basis)), b: ofColumns(basis) }
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
    factors ??= take({ rows: site.out, columns: site.in, data: Float64Array.from(readLinear(site, weight.data, null).weight) }, rank, scale)
    return factors
  }
  return { a: () => Float32Array.from(decomposed().a), b: () => Float32Array.from(decomposed().b) }
}
