import { importance } from './importance.ts'
import { magnitude } from './magnitude.ts'
import { random } from './random.ts'
import type { Score } from './score.ts'
import { sensitivity } from './sensitivity.ts'

/** Every score by its name. */
export const scores = { importance, sensitivity, magnitude, random } satisfies Record<string, Score>
