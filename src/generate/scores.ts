import { logSumExp } from '../tasks/softmax.ts'

/** `log softmax`, in place. */
export function normalise(scores: Float32Array): void {
  const total = logSumExp(scores)
  for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! - total
}

interface Scored {
  readonly score: number
  readonly index: number
}

/** The `count` largest, the largest first; the first of equals. */
export function largest(scores: ArrayLike<number>, count: number): Scored[] {
  const best: Scored[] = []
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index]!
    if (best.length === count && score <= best[count - 1]!.score) continue
    let at = best.length
    while (at > 0 && best[at - 1]!.score < score) at--
    best.splice(at, 0, { score, index })
    if (best.length > count) best.pop()
  }
  return best
}
