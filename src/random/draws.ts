import type { Key } from './key.ts'
import { philox } from './philox.ts'

/** A sequence of draws; two streams of one key give the same draws. */
export interface Stream {
  /** A uint32. */
  next(): number
  /** In [0, 1), all 53 bits random. */
  uniform(): number
  /** Mean 0, deviation 1 (Box and Muller 1958). */
  normal(): number
  /** An integer in [0, n), unbiased; RangeError unless n is an integer from 1 to 2^32. */
  below(n: number): number
}

/** The stream of a key: Philox blocks with counters 0, 1, 2, ... */
export function stream(key: Key): Stream {
  let blocks = 0
  const block = new Uint32Array(4)
  let used = 4
  let spare: number | null = null

  function next(): number {
    if (used === 4) {
      philox(blocks, blocks / 2 ** 32, 0, 0, key, block)
      blocks++
      used = 0
    }
    return block[used++]!
  }

  function uniform(): number {
    const high = next() >>> 5
    const low = next() >>> 6
    return (high * 2 ** 26 + low) / 2 ** 53
  }

  function normal(): number {
    if (spare !== null) {
      const value = spare
      spare = null
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  function below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new RangeError(`below(${n}): expected an integer from 1 to 2^32`)
    const limit = 2 ** 32 - (2 ** 32 % n)
    let draw = next()
    while (draw >= limit) draw = next()
    return draw % n
  }

  return { next, uniform, normal, below }
}

/** Draws in order; Float32Array.from takes twice as long. */
function filled(length: number, draw: () => number): Float32Array {
  const out = new Float32Array(length)
  for (let i = 0; i < length; i++) out[i] = draw()
  return out
}

/** `length` normal draws of the given mean and standard deviation. */
export function normals(length: number, key: Key, { mean, deviation }: { mean: number; deviation: number }): Float32Array {
  const { normal } = stream(key)
  return filled(length, () => mean + deviation * normal())
}

/** `length` uniform draws from [low, high); the rounding to float32 may reach `high`. */
export function uniforms(length: number, key: Key, { low, high }: { low: number; high: number }): Float32Array {
  const { uniform } = stream(key)
  return filled(length, () => low + (high - low) * uniform())
}

/** A random order of 0 .. n-1, each of the n! equally likely (Fisher and Yates 1938). */
export function permutation(n: number, key: Key): Int32Array {
  const { below } = stream(key)
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
