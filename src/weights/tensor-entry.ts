/** Bytes of one element, by element type as safetensors names it. */
export const DTYPE_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const

/** Element types that are read; all others are refused by name. */
export type Dtype = keyof typeof DTYPE_BYTES

/** Where one tensor lies: enough to memory-map it without reading the header again. */
export interface TensorEntry {
  readonly dtype: Dtype
  /** Extents, outermost first; empty for a scalar. */
  readonly shape: readonly number[]
  /** The file, as it was given to `readHeader` (an absolute real path from `openCheckpoint`). */
  readonly file: string
  /** Bytes from the start of the file, not of the data section. */
  readonly offset: number
  /** Length in bytes: product of the shape times the element size. */
  readonly bytes: number
}

export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(DTYPE_BYTES, name)
}

/** Whether the type holds real numbers: F64, F32, F16, BF16. */
export function isFloating(dtype: Dtype): boolean {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' || dtype === 'F64'
}

/** The product of the extents (1 for a scalar), or undefined where it, or an extent, is no integer from 0 to 2^53 - 1. */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || (extent as number) < 0 || Object.is(extent, -0)) return undefined
    count *= extent as number
    if (!Number.isSafeInteger(count)) return undefined
  }
  return count
}
