import type { State } from '../evaluate/state.ts'
import type { Kept, Tensor } from '../nn/method.ts'
import { elementCount } from '../nn/tensor.ts'
import { accumulated, firstMoment, secondMoment } from './step-graph.ts'

/** The slices of a tensor at `indices` of an axis. */
function sliceTensor({ shape, data }: Tensor, axis: number, indices: readonly number[]): Tensor {
  const outer = elementCount(shape.slice(0, axis))
  const inner = elementCount(shape.slice(axis + 1))
  const result = new Float32Array(outer * indices.length * inner)
  let at = 0
  for (let i = 0; i < outer; i++) {
    for (const index of indices) {
      const start = (i * shape[axis]! + index) * inner
      result.set(data.subarray(start, start + inner), at)
      at += inner
    }
  }
  return { shape: shape.map((dim, i) => (i === axis ? indices.length : dim)), data: result }
}

/** Cuts parameters and their moments to the rows a method keeps; what is left empty goes, and so do the method's statistics. */
export function reshapeState(state: State, kept: readonly Kept[]): void {
  for (const { parameter, axis, indices } of kept) {
    for (const name of [parameter, firstMoment(parameter), secondMoment(parameter), accumulated(parameter)]) {
      const tensor = state.get(name)
      if (!tensor) continue
      if (indices.length === 0) state.delete(name)
      else state.set(name, sliceTensor(tensor, axis, indices))
    }
  }
  for (const name of [...state.keys()]) if (name.endsWith('@buffer')) state.delete(name)
}
