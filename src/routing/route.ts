/** One choice to make: a site or group of coupled sites, and the role whose experts are chosen from. */
export interface Draw {
  readonly group: string
  readonly role: string
  readonly experts: number
}

/** Where a choice falls: `pass` counts the passes of one batch from 0. */
export interface RouteMoment {
  readonly seed: number
  readonly step: number
  readonly microBatch: number
  readonly pass: number
}

/** The index of the expert for one choice. */
export type Router = (draw: Draw, moment: RouteMoment) => number
