import type { Dim, Shape } from '../graph/dim.ts'
import { product } from '../graph/dim.ts'
import { type Graph, input, type Value } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { reshape, slice } from '../graph/ops/movement.ts'
import { dequantize } from '../graph/ops/quantized.ts'
import type { Noise } from './site.ts'

/** Random numbers that a place of the graph reads: a dropout mask of probability `p`, or noise of a kind; and how many. */
export interface Mask {
  readonly p: number | Noise
  readonly size: Dim
}

/** The name of the pool that a mask is a window of. */
export const poolName = (p: Mask['p']): string => (typeof p === 'number' ? `dropout.${p}` : `noise.${p}`)

/** The random numbers of a graph: each place that reads some has a window of its own in a pool; pools and windows are fed. */
export interface Masks {
  readonly masks: readonly Mask[]
  noise(kind: Noise, shape: Shape): Value
  /** The identity outside of training. */
  dropout(x: Value, p: number): Value
}

export function openMasks(graph: Graph, training: boolean): Masks {
  const masks: Mask[] = []
  const drawn = (p: Mask['p'], shape: Shape): Value => {
    const [name, size] = [poolName(p), product(shape)]
    const dtype = typeof p === 'number' ? 'uint8' : graph.float
    const pool = graph.inputs.get(name) ?? input(graph, name, dtype, [name.replaceAll('.', '_')])
    const at = masks.push({ p, size }) - 1
    const bound = (ends: string): Value => slice(graph.inputs.get(ends) ?? input(graph, ends, 'int32', ['masks']), 0, at, at + 1, 1)
    return reshape(slice(pool, 0, bound('dropout.start'), bound('dropout.end'), size), shape)
  }
  return {
    masks,
    noise: drawn,
    dropout: (x, p) => (!training || p === 0 ? x : mul(x, dequantize(drawn(p, x.shape), 1 / (1 - p)))),
  }
}
