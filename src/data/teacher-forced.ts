import type { Label } from './examples.ts'
import type { Tokens } from './token-row.ts'

/** What a decoder's rows start with, and what stands in the place of tokens that do not count. */
export interface DecoderStart {
  readonly start: number
  readonly padding: number
}

/** What a decoder is given in training: the labels, one to the right, behind the token that begins a text. */
export function teacherForced(label: Label | null, { start, padding }: DecoderStart): Tokens {
  const labels = (label ?? []) as readonly number[]
  const ids = Int32Array.from([start, ...labels.slice(0, -1)], (id) => (id < 0 ? padding : id))
  return { ids, types: new Int32Array(ids.length), mask: new Uint8Array(ids.length).fill(1) }
}
