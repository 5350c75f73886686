import { cubic } from './cubic.ts'
import { linear } from './linear.ts'
import { oneShot } from './one-shot.ts'
import type { BudgetSchedule } from './schedule.ts'

/** Every schedule by its name; null where nothing is ever allocated. */
export const schedules = { cubic, linear, 'one-shot': oneShot, none: null } satisfies Record<string, BudgetSchedule | null>
