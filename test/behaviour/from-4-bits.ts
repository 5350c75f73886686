import { type In4Bits, ZERO } from '../../src/weights/in-4-bits.ts'

const numberAt = (bytes: Uint8Array, block: number, i: number): number => {
  const half = block / 2
  const byte = bytes[Math.floor(i / block) * half + (i % half)]!
  return i % block < half ? byte & 15 : byte >> 4
}

/** The values that the numbers tell. */
export function from4Bits({ bytes, scales }: Pick<In4Bits, 'bytes' | 'scales'>, block: number): Float32Array {
  return Float32Array.from({ length: 2 * bytes.length }, (_, i) => (numberAt(bytes, block, i) - ZERO) * scales[Math.floor(i / block)]!)
}
