import { z } from 'zod'

/** How many weights a method may end with, in place of its rank or width: a count, a share of the base model, or a sum of ranks. */
export const budgetOption = z
  .union([
    z.number().int().positive(),
    z.string().regex(/^\d+(\.\d+)?\s*[kM%]$/, 'write 300000, 0.3M, 300k, 0.08% or { ranks: 72 }'),
    z.strictObject({ ranks: z.number().int().positive().describe('the sum of ranks over all modules') }),
  ])
  .nullable()
  .default(null)
  .describe('sizes it by the weights that are left at the end: `300000`, `0.3M`, `0.08%` of the model, or a sum of ranks, `{ ranks: 72 }`')
export type BudgetOption = z.infer<typeof budgetOption>
