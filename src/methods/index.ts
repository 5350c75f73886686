import { adalora } from './adalora.ts'
import { adamix } from './adamix.ts'
import { bitfit } from './bitfit.ts'
import { bottleneck } from './bottleneck.ts'
import { full } from './full.ts'
import { head } from './head.ts'
import { lora } from './lora.ts'

/** Every method, in the order of help texts. */
export const methods = [lora, adalora, adamix, bottleneck, bitfit, head, full] as const
