import type { Key } from './key.ts'
import { philox } from './philox.ts'

/** Drops those bytes of word `index` whose top 8 bits tie with the threshold's while the other 24 bits, drawn here, stay below `rest`. */
function settleTies(keep: number, differ: number, rest: number, index: number, key: Key): number {
  const draws = new Uint32Array(4)
  philox(index, 1, 0, 0, key, draws)
  let settled = keep
  for (let lane = 0; lane < 4; lane++) {
    const tie = ((differ >>> (8 * lane)) & 0xff) === 0
    if (tie && draws[lane]! >>> 8 < rest) settled &= ~(1 << (8 * lane))
  }
  return settled
}

/** Four keep-bytes a word. Int32 arrays and bit operations only, so that the loop runs on machine integers. */
function fillKeepWords(words: Int32Array, key: Key, top: number, rest: number): void {
  const block = new Uint32Array(4)
  philox(0, 0, 0, 0, key, block)
  const seed = new Int32Array(block.buffer)
  let a = seed[0]!
  let b = seed[1]!
  let c = seed[2]!
  let d = seed[3]!
  const reach = Math.imul(256 - top, 0x00010001)
  const tops = Math.imul(top, 0x01010101)
  const length = words.length
  for (let i = 0; i < length; i++) {
    const draw = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + draw) | 0
    const even = (((draw & 0x00ff00ff) + reach) >>> 8) & 0x00010001
    const odd = (((draw >>> 8) & 0x00ff00ff) + reach) & 0x01000100
    const keep = even | odd
    words[i] = keep
    const differ = draw ^ tops
    // Not zero exactly where a byte of `differ` is zero.
    if ((((differ - 0x01010101) | 0) & ~differ & -0x7f7f7f80) !== 0) words[i] = settleTies(keep, differ, rest, i, key)
  }
}

/**
 * Fills `out` with bytes that are 0 (dropped) with probability `p`, exact to 32 bits, else 1; a pure function of length, key and p.
 * RangeError unless 0 <= p <= 1. Bits come from sfc32 (Doty-Humphrey, PractRand), seeded by a Philox block of the key.
 *
 * A byte is kept where a 32-bit number reaches the threshold p * 2^32. One draw brings the top 8 bits of four such numbers, compared side
 * by side; the other 24 bits are drawn only for a number whose top bits equal the threshold's (one in 256).
 */
export function fillKeepBytes(out: Uint8Array, key: Key, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`dropout ${p}: expected a probability from 0 to 1`)
  const threshold = Math.round(p * 2 ** 32)
  if (threshold === 0 || threshold === 2 ** 32) {
    out.fill(threshold === 0 ? 1 : 0)
    return
  }
  const inPlace = out.byteOffset % 4 === 0 && out.length % 4 === 0
  const words = inPlace ? new Int32Array(out.buffer, out.byteOffset, out.length / 4) : new Int32Array(Math.ceil(out.length / 4))
  fillKeepWords(words, key, Math.floor(threshold / 2 ** 24), threshold % 2 ** 24)
  if (!inPlace) out.set(new Uint8Array(words.buffer, 0, out.length))
}
