import type { Label } from '../data/examples.ts'
import { calibrationError } from '../metrics/calibration.ts'
import { meanDistribution, mutualInformation, predictiveEntropy } from '../metrics/disagreement.ts'
import { at, type Distributions } from './distributions.ts'
import { argmax, probabilities } from './softmax.ts'

/** A distribution as each member has it, `[members][classes]`, and which class is right. */
export interface Belief {
  readonly members: readonly (readonly number[])[]
  readonly target: number
}

/** What members believe where a label counts, `logits` being [members] of one example. */
export function beliefsOf(
  logits: readonly Float32Array[],
  label: Label,
  { places, targets }: Distributions,
  classes: number,
): readonly Belief[] {
  const right = targets(label)
  return places(logits[0]!.length, classes).flatMap((own, i) =>
    right[i]! < 0 ? [] : [{ members: logits.map((member) => probabilities(at(member, own))), target: right[i]! }],
  )
}

/** The calibration error of the members' mean. */
export function calibration(beliefs: readonly Belief[]): { calibrationError: number } {
  const means = beliefs.map(({ members }) => meanDistribution(members))
  const confidences = means.map((mean) => Math.max(...mean))
  const hits = means.map((mean, i) => (argmax(mean) === beliefs[i]!.target ? 1 : 0))
  return { calibrationError: calibrationError(confidences, hits) }
}

/** How uncertain the members' mean is, and how much of it is their disagreement. */
export function disagreement(beliefs: readonly Belief[]): { predictiveEntropy: number; mutualInformation: number } {
  const rows = beliefs.map(({ members }) => members)
  return { predictiveEntropy: predictiveEntropy(rows), mutualInformation: mutualInformation(rows) }
}
