import { shares } from './shares.ts'

/** A budget for each module: with equal initial ranks all end at the same. */
export const perModule = shares(({ name }) => name)
