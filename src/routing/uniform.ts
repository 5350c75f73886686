import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import type { Router } from './route.ts'

/** AdaMix's routing: uniform, independent for each pass, group and role; one draw for all tokens of a batch. */
export const uniform: Router = ({ group, role, experts }, { seed, step, microBatch, pass }) =>
  stream(keyOf('route', seed, step, microBatch, pass, group, role)).below(experts)
