import { constant, type Value } from '../graph/graph.ts'
import { cast, cos, mul, sin } from '../graph/ops/elementwise.ts'
import { rotate } from '../graph/ops/fused.ts'
import { reshape } from '../graph/ops/movement.ts'
import type { Network } from './network.ts'

/** How fast the pairs of a head turn. */
export interface Rotation {
  /** Angle of each pair from one position to the next, `headSize / 2` of them. */
  readonly frequencies: readonly number[]
  /** What turned numbers are multiplied by. */
  readonly amplitude: number
}

/** Turns queries or keys `[tokens, heads * headSize]` by the tokens' positions (Su et al. 2021). */
export function rotary({ graph, stream: { positions } }: Network, { frequencies, amplitude }: Rotation): (x: Value) => Value {
  const speeds = constant(graph, frequencies, [1, frequencies.length], graph.float)
  const angles = mul(cast(reshape(positions, [positions.shape[0]!, 1]), graph.float), speeds)
  const [cosines, sines] = [cos(angles), sin(angles)].map((value) => (amplitude === 1 ? value : mul(value, amplitude))) as [Value, Value]
  return (x) => rotate(x, cosines, sines)
}
