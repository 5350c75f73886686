import { z } from 'zod'

/** How likely something is dropped; never all of it. */
export const probability = z.number().min(0).lt(1)

/** What `refine` takes: the field `heads` divides the field `width`. */
export const wholeHeads = <H extends string, W extends string>(
  heads: H,
  width: W,
): [check: (config: Readonly<Record<H | W, number>>) => boolean, issue: { path: string[]; message: string }] => [
  (config) => config[width] % config[heads] === 0,
  { path: [heads], message: 'the heads together must be as wide as the model' },
]
