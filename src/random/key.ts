import { type Key, philox } from './philox.ts'

export type { Key }

const stringTag = 1
const numberTag = 2

/** The parts as uint32 words, prefix-free: each starts with its type, a string also with its length. */
function wordsOf(parts: readonly (string | number)[]): number[] {
  const words: number[] = []
  const double = new DataView(new ArrayBuffer(8))
  for (const part of parts) {
    if (typeof part === 'string') {
      words.push(stringTag, part.length)
      for (let i = 0; i < part.length; i++) words.push(part.charCodeAt(i))
    } else {
      double.setFloat64(0, part === 0 ? 0 : part)
      words.push(numberTag, double.getUint32(0), double.getUint32(4))
    }
  }
  return words
}

/**
 * The key of a purpose: a 64-bit hash of the parts, in which their order, types and boundaries count.
 * Four words at a time are the counter of a Philox block, keyed by the hash so far.
 */
export function keyOf(...parts: (string | number)[]): Key {
  const words = wordsOf(parts)
  const out = new Uint32Array(4)
  let key: Key = [0, 0]
  for (let at = 0; at === 0 || at < words.length; at += 4) {
    philox(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0, key, out)
    key = [out[0]!, out[1]!]
  }
  return key
}
