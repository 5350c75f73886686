import { uniforms } from '../../random/draws.ts'
import { keyOf } from '../../random/key.ts'
import type { Score } from './score.ts'

/** No score at all: a uniform draw for each component, fresh at each update. The control that a score has to beat. */
export const random: Score = {
  statistics: [],
  update: () => ({}),
  draw: (seed, step, module, rank) => uniforms(rank, keyOf('allocation', seed, step, module), { low: 0, high: 1 }),
  score: ({ draws }) => draws!,
}
