import { z } from 'zod'
import type { Consistency } from '../nn/consistency.ts'

const weight = z.number().nonnegative()

/** The weight of the consistency between two passes, or all that there is to choose about it. */
export const consistencyOption = z.union([
  weight,
  z.strictObject({
    weight: weight.default(1).describe('of the agreement in the loss'),
    form: z
      .enum(['reference', 'symmetric'])
      .default('reference')
      .describe("whether a divergence's target stands still, as in the authors' code, or is differentiated, too"),
    schedule: z
      .discriminatedUnion('name', [
        z.strictObject({ name: z.literal('constant') }),
        z.strictObject({
          name: z.literal('ramp'),
          over: z.number().positive().describe('updates in which the weight rises from 0; below 1 a fraction of all'),
        }),
      ])
      .default({ name: 'constant' })
      .describe('the weight over a run'),
    numbers: z
      .enum(['square', 'divergence'])
      .default('square')
      .describe("of regressions: half the squared difference, or the divergence of the authors' code, which is 0"),
    crossEntropy: z.enum(['first', 'both']).default('first').describe('the passes in which labels count'),
  }),
])
export type ConsistencyOption = z.infer<typeof consistencyOption>

const usual = { form: 'reference', numbers: 'square', crossEntropy: 'first' } as const

/** What the option says for a run of so many updates; null where nothing asks for a second pass. */
export function consistencyOf(option: ConsistencyOption, totalSteps: number | null): Consistency | null {
  if (typeof option === 'number') return option === 0 ? null : { weight: option, ramp: 0, ...usual }
  const { weight, form, schedule, numbers, crossEntropy } = option
  if (weight === 0 && crossEntropy === 'first') return null
  const over = schedule.name === 'ramp' ? schedule.over : 0
  return { weight, ramp: Math.round(over < 1 ? over * (totalSteps ?? 0) : over), form, numbers, crossEntropy }
}
