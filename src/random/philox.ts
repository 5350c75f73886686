/** A 64-bit key of the generator: two uint32. */
export type Key = readonly [number, number]

const m0 = 0xd2511f53
const m1 = 0xcd9e8d57
const weyl0 = 0x9e3779b9
const weyl1 = 0xbb67ae85

/** Upper 32 bits of the 64-bit product of two uint32. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const first = aHigh * bLow + ((aLow * bLow) >>> 16)
  const second = aLow * bHigh + (first & 0xffff)
  return (aHigh * bHigh + (first >>> 16) + (second >>> 16)) >>> 0
}

/**
 * Philox-4x32-10: a keyed bijection of a 128-bit counter whose outputs are random numbers.
 * Writes four uint32 to `out` (at least 4 long). Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */
export function philox(counter0: number, counter1: number, counter2: number, counter3: number, key: Key, out: Uint32Array): void {
  let c0 = counter0 >>> 0
  let c1 = counter1 >>> 0
  let c2 = counter2 >>> 0
  let c3 = counter3 >>> 0
  let k0 = key[0] >>> 0
  let k1 = key[1] >>> 0
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(m0, c0)
    const high1 = multiplyHigh(m1, c2)
    const low0 = Math.imul(m0, c0) >>> 0
    const low1 = Math.imul(m1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + weyl0) >>> 0
    k1 = (k1 + weyl1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}
