import type { Score } from './score.ts'

/** The size of a component as it stands: the absolute singular value of a triplet (Zhang et al. 2023, section 4.4). Keeps nothing. */
export const magnitude: Score = {
  statistics: [],
  update: () => ({}),
  score: ({ components, factors }) => components.magnitude(factors),
}
