import type { Label } from '../data/examples.ts'
import { logSumExp } from './softmax.ts'

/** How the logits of an example are distributions, each after a softmax. */
export interface Distributions {
  /** For each distribution the places of its logits, among `size` of an example with so many classes. */
  places(size: number, classes: number): readonly (readonly number[])[]
  /** For each distribution the place of what is right; negative where it does not count. */
  targets(label: Label): readonly number[]
}

/** Distributions of equal length, one after another. */
export const consecutive: Distributions['places'] = (size, classes) =>
  Array.from({ length: size / classes }, (_, i) => Array.from({ length: classes }, (_, c) => i * classes + c))

/** The numbers at some places. */
export const at = (values: ArrayLike<number>, places: readonly number[]): number[] => places.map((place) => values[place]!)

/**
 * What several members say together of one example, `[members]` logits: the logs of their mean probabilities, which have that mean as
 * their softmax; the mean itself where logits are no distributions. One member speaks for itself.
 */
export function together(members: readonly Float32Array[], distributions: Distributions | null, classes: number): Float32Array {
  const [first] = members as [Float32Array]
  if (members.length === 1) return first
  const result = Float32Array.from(first, (_, i) => members.reduce((sum, member) => sum + member[i]!, 0) / members.length)
  for (const places of distributions?.places(first.length, classes) ?? []) {
    const totals = members.map((member) => logSumExp(at(member, places)))
    for (const place of places) {
      result[place] = logSumExp(members.map((member, m) => member[place]! - totals[m]!)) - Math.log(members.length)
    }
  }
  return result
}
