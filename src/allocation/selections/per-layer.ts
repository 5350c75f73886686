import { shares } from './shares.ts'

/** A budget for each transformer layer, shared by its modules; those outside of the layers are one more group. */
export const perLayer = shares(({ layer }) => layer)
