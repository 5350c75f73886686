import { decay } from './schedule.ts'

/** The budget falls by the same number at each update. */
export const linear = decay(1)
