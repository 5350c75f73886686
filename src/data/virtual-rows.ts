import type { Example, Label } from './examples.ts'
import type { Tokens } from './token-row.ts'

function shifted(label: Label | null, count: number): Label | null {
  if (label === null || typeof label === 'number') return label
  if ('start' in label) return { start: label.start + count, end: label.end + count }
  return [...Array.from({ length: count }, () => -100), ...label]
}

function behind({ ids, types, mask }: Tokens, count: number): Tokens {
  const virtual = Array.from({ length: count }, (_, k) => -1 - k)
  const fill = (value: number): number[] => virtual.map(() => value)
  return {
    ids: Int32Array.from([...virtual, ...ids]),
    types: Int32Array.from([...fill(0), ...types]),
    mask: Uint8Array.from([...fill(1), ...mask]),
  }
}

/** A row behind `count` virtual tokens, as PEFT lays it out: ids -1, -2, ..., type 0, attended, without labels of their own. */
export function virtualRow({ ids, types, mask, label, others, ...rest }: Example, count: number): Example {
  return {
    ...rest,
    ...behind({ ids, types, mask }, count),
    ...(others && { others: others.map((tokens) => behind(tokens, count)) }),
    label: rest.decoder ? label : shifted(label, count),
  }
}
