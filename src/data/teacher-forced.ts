import type { Example } from './examples.ts'

/** A row with what its decoder is given in training: the labels, one to the right, behind the token that begins a text. */
export function teacherForced(example: Example, { start, padding }: { readonly start: number; readonly padding: number }): Example {
  const labels = example.label as readonly number[]
  const ids = Int32Array.from([start, ...labels.slice(0, -1)], (id) => (id < 0 ? padding : id))
  return { ...example, decoder: { ids, types: new Int32Array(ids.length), mask: new Uint8Array(ids.length).fill(1) } }
}
