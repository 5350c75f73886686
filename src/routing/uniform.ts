import { z } from 'zod'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { defineRouting } from './definition.ts'
import type { Router } from './route.ts'

export const uniformOptions = z.strictObject({
  name: z.literal('uniform'),
  per: z.enum(['batch', 'example']).default('batch').describe('what a draw is for: all rows of a pass, as in the paper, or each row'),
})

/** A uniform draw, independent for each pass, group and role, and for each row where rows are told apart. */
export const drawUniform: Router = ({ group, role, experts }, { seed, step, microBatch, pass, row }) =>
  stream(keyOf('route', seed, step, microBatch, pass, group, role, ...(row === undefined ? [] : [row]))).below(experts)

/** AdaMix's stochastic routing (Wang et al. 2022, section 3.1); with `per: example` each row of a batch takes a route of its own. */
export const uniform = defineRouting<z.infer<typeof uniformOptions>>({
  options: uniformOptions,
  merges: true,
  create: ({ per }) => ({ per: per === 'batch' ? 'pass' : 'row', draw: drawUniform }),
})
