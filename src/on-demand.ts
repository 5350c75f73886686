import { createRequire } from 'node:module'

/** Loads a library where it is first used: for those that take a while to load, and that many starts do without. */
export const onDemand = createRequire(import.meta.url)
