import type { Example } from '../data/examples.ts'
import type { Model } from '../models/open.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'

export const PROBE_ROWS = 8

/** Rows of random tokens, of lengths 3 to 24, to compare two models on. */
export function probeRows({ wiring: { vocabularySize, maxPositions } }: Model): Example[] {
  const draws = stream(keyOf('merge'))
  return Array.from({ length: PROBE_ROWS }, (_, i) => {
    const length = Math.min(3 * (i + 1), maxPositions)
    const ids = Int32Array.from({ length }, () => draws.below(vocabularySize))
    return { ids, types: new Int32Array(length), mask: new Uint8Array(length).fill(1), label: null, file: '', line: 0 }
  })
}
