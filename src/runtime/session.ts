import type { Device } from '../onnx/devices.ts'

/** A tensor at the boundary of a session; the shape is known, the data own their buffer. */
export interface Tensor {
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array
  readonly shape: readonly number[]
}

export type Feeds = Readonly<Record<string, Tensor>>

/** A compiled graph, ready to run on one engine. */
export interface Session {
  /**
   * Runs the graph once. Outputs that alias an input are written into the fed array and not returned;
   * all others are returned.
   */
  run(feeds: Feeds): Promise<Record<string, Tensor>>
  close(): Promise<void>
}

export interface SessionOptions {
  /** `cpu` by default. */
  readonly device?: Device
  /** Threads of one operator; all physical cores by default. */
  readonly threads?: number
  /** Pack constant matrices once: faster for a few rows, costs a copy of the weights. Off by default. */
  readonly prepack?: boolean
  /** Writes an execution profile to files that start with this path. */
  readonly profile?: string
}
