import { grouped } from '../grouped.ts'
import { onHost } from '../methods/algebra.ts'
import type { Factors, Tensor } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { factorsAt } from './rules/pair-rule.ts'
import type { Pair } from './svd.ts'

const folded = ({ a, b, scale }: Factors): Pair => ({ a, b: { shape: b.shape, data: b.data.map((value) => value * scale) } })

/** B `[out, r]` with rows of zeros around it: its own are those from `top` on, of `rows`. */
function padded({ shape: [out, r], data }: Tensor, top: number, rows: number): Tensor {
  const result = new Float32Array(rows * r!)
  result.set(data.subarray(0, out! * r!), top * r!)
  return { shape: [rows, r!], data: result }
}

/** The factors of a map of parts: A of one part above the other, B beside each other, each in the rows of its part. */
function joined(parts: readonly (readonly [LinearSite, Pair])[]): Pair {
  const widened = parts.map(([{ out, stored }, { b }]) => padded(b, stored!.part * out, stored!.parts * out))
  return {
    a: onHost.concat(
      parts.map(([, { a }]) => a),
      0,
    ),
    b: onHost.concat(widened, 1),
  }
}

/** The factors of every map that an adapter acts on; those of a part of a map are the whole map's. */
export function wholePairs(member: Parameters<typeof factorsAt>[0], sites: readonly Site[]): Map<string, Pair> {
  const pairs = sites.flatMap((site): [LinearSite, Pair][] => {
    const factors = factorsAt(member, site)
    return factors && site.kind === 'linear' ? [[site, folded(factors)]] : []
  })
  const byMap = grouped(pairs, ([site]) => site.within ?? site.name)
  return new Map([...byMap].map(([map, parts]) => [map, parts[0]![0].within === undefined ? parts[0]![1] : joined(parts)]))
}
