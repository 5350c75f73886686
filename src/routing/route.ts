import type { Value } from '../graph/graph.ts'
import type { Key } from '../random/key.ts'

/** One choice to make: a site or group of coupled sites, and the role whose experts are chosen from. */
export interface Draw {
  readonly group: string
  readonly role: string
  readonly experts: number
}

/** Where a choice falls: `pass` counts the passes of one batch from 0, `row` the rows of a pass where each has a choice of its own. */
export interface RouteMoment {
  readonly seed: number
  readonly step: number
  readonly microBatch: number
  readonly pass: number
  readonly row?: number
}

/** The index of the expert for one choice. */
export type Router = (draw: Draw, moment: RouteMoment) => number

/** A tensor that a router trains at a site. */
export interface RouterParameter {
  readonly shape: readonly number[]
  /** Initial values, a pure function of the key. */
  readonly init: (key: Key) => Float32Array
}

/** What gates are made of, for the `n` tokens of one pass. */
export interface GateCall {
  /** What the site reads, `[n, width]`. */
  readonly input: Value
  /** `[n]`: the ids of the tokens. */
  readonly ids: () => Value
  /** The router's parameters at the site. */
  readonly weights: Readonly<Record<string, Value>>
  /** Random numbers like a value, normal of deviation 1 or uniform between -1 and 1; null outside of training. */
  readonly noise: ((kind: 'normal' | 'uniform', like: Value) => Value) | null
}

export interface Gates {
  /** `[n, experts]`: the weight of each expert's result, 0 where it is not used; what is missing to 1 is the plain result's. */
  readonly gates: Value
  /** A term of the loss, asked for in training; null where there is none. */
  readonly loss: Value | null
}

/** How a mixture chooses among its experts. */
export type Routing =
  /** One expert of each role for all tokens of a pass, drawn on the host. */
  | { readonly per: 'pass'; readonly draw: Router }
  /** One expert for all tokens of a row, drawn on the host. */
  | { readonly per: 'row'; readonly draw: Router }
  /** Gates for each token, made in the graph. */
  | {
      readonly per: 'token'
      /** What is trained at a site of that width, by role. */
      readonly parameters: (width: number) => Readonly<Record<string, RouterParameter>>
      readonly gates: (call: GateCall) => Gates
    }
