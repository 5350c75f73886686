let table: Uint32Array | undefined

/** The f32 bits of every f16 bit pattern: 65536 words, 256 KiB, made on first use. */
function halfTable(): Uint32Array {
  table ??= Uint32Array.from({ length: 65536 }, (_, half) => widen(half))
  return table
}

/** f32 bits of one f16 bit pattern. Every f16 value is exact in f32; NaN keeps its payload. */
function widen(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0
  if (mantissa === 0) return sign >>> 0
  // Subnormal: mantissa x 2^-24, brought to a leading one.
  const shift = Math.clz32(mantissa) - 21
  return (sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)) >>> 0
}

/** f16 bit patterns (IEEE 754 binary16) to f32, element by element: [n] to [n]. */
export function halfToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = halfTable()
  const out = new Uint32Array(bits.length)
  for (let i = 0; i < bits.length; i++) out[i] = words[bits[i]!]!
  return new Float32Array(out.buffer)
}

/** bfloat16 bit patterns (the upper half of an f32) to f32, element by element: [n] to [n]. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Uint32Array(bits.length)
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16
  return new Float32Array(out.buffer)
}

/** f32 bits to f16 bits, rounded to nearest, ties to even; beyond 65519.99 to infinity; NaN stays NaN. */
function narrow(word: number): number {
  const sign = (word >>> 16) & 0x8000
  const size = word & 0x7fffffff
  if (size > 0x7f800000) return sign | 0x7e00 | ((size >>> 13) & 0x3ff)
  if (size >= 0x477ff000) return sign | 0x7c00
  // Normal, from 2^-14: a carry out of the mantissa lands in the exponent, as it should.
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
  if (size <= 0x33000000) return sign
  const mantissa = (size & 0x7fffff) | 0x800000
  const shift = 126 - (size >>> 23)
  const kept = mantissa >>> shift
  const rest = mantissa & ((1 << shift) - 1)
  const tie = 1 << (shift - 1)
  return sign | (kept + (rest > tie || (rest === tie && kept & 1) ? 1 : 0))
}

/** f32 to f16 bit patterns (IEEE 754 binary16), rounded to nearest, ties to even: [n] to [n]. */
export function float32ToHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const out = new Uint16Array(values.length)
  for (let i = 0; i < words.length; i++) out[i] = narrow(words[i]!)
  return out
}
