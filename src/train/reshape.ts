import type { State } from '../evaluate/state.ts'
import type { Kept } from '../nn/method.ts'
import { sliceTensor } from '../nn/tensor.ts'
import { accumulated, firstMoment, secondMoment } from './state-update.ts'

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
