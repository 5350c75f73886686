import type { Tensor } from '../runtime/session.ts'

/** Keys or values of every token that was read, `[slots, width]`, in the order in which they came. Slot 0 is empty, for rows without a past. */
export interface Cache {
  readonly slots: number
  tensor(): Tensor
  /** Adds rows `[n, width]`. */
  append(rows: Float32Array): void
}

export function openCache(width: number): Cache {
  let data = new Float32Array(64 * width)
  let slots = 1
  return {
    get slots() {
      return slots
    },
    tensor: () => ({ data: data.subarray(0, slots * width), shape: [slots, width] }),
    append(rows) {
      const needed = slots * width + rows.length
      if (needed > data.length) {
        const larger = new Float32Array(2 * needed)
        larger.set(data)
        data = larger
      }
      data.set(rows, slots * width)
      slots += rows.length / width
    },
  }
}
