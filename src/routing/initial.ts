import { stream } from '../random/draws.ts'
import type { RouterParameter } from './route.ts'

/** Logits that are equal at the start. */
export const zeroWeights = (experts: number, width: number): RouterParameter => ({
  shape: [experts, width],
  init: () => new Float32Array(experts * width),
})

/** Normal draws of deviation √(scale / width), those beyond two deviations drawn again. */
export const smallWeights = (experts: number, width: number, scale: number): RouterParameter => ({
  shape: [experts, width],
  init(key) {
    const { normal } = stream(key)
    const within = (): number => {
      const draw = normal()
      return Math.abs(draw) <= 2 ? draw : within()
    }
    return Float32Array.from({ length: experts * width }, () => Math.sqrt(scale / width) * within())
  },
})
