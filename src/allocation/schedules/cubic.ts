import { decay } from './schedule.ts'

/** AdaLoRA's decay (Zhang et al. 2023, eq. 14, with the time that the authors' code uses). */
export const cubic = decay(3)
