import { int4 } from './roundings/int4.ts'
import { int8 } from './roundings/int8.ts'
import type { Rounding } from './roundings/rounding.ts'

/** How frozen weights may take part in products: as they are, or rounded. */
export const bases = ['float32', 'int8', 'int4'] as const
export type Base = (typeof bases)[number]

/** What each base rounds by; null: weights stay as they are. */
export const roundings: Readonly<Record<Base, Rounding | null>> = { float32: null, int8, int4 }
