import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readJson } from '../json-file.ts'
import { defineRouting } from './definition.ts'
import type { Router } from './route.ts'

export const replayOptions = z.strictObject({
  name: z.literal('replay'),
  file: z.string().min(1).describe('of the recorded experts, JSON of `[step][pass][group][role]`'),
})

/** Recorded routes: `[step][pass][group][role]`. */
type Recorded = readonly (readonly Readonly<Record<string, Readonly<Record<string, number>>>>[])[]

/** Draws that were recorded. Throws UserError where the file holds no JSON; the router, for a draw that is not in it. */
export function drawRecorded(file: string): Router {
  const recorded = readJson(file) as Recorded | null
  return ({ group, role, experts }, { step, pass }) => {
    const index = recorded?.[step]?.[pass]?.[group]?.[role]
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= experts) {
      throw new UserError(
        `${file} has no expert below ${experts} for step ${step}, pass ${pass}, "${group}", role "${role}"; give a recording of as many steps of this method.`,
      )
    }
    return index
  }
}

/** Routing that repeats a recording, a JSON file of `[step][pass][group][role]`. */
export const replay = defineRouting<z.infer<typeof replayOptions>>({
  options: replayOptions,
  merges: true,
  create: ({ file }) => ({ per: 'pass', draw: drawRecorded(file) }),
})
