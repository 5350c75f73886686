import { totalmem } from 'node:os'
import { UserError } from '../../errors.ts'

/** Of the machine, or of the container that the process is in. */
const machineBytes = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity)

/** So many times the machine's memory cannot be a wrong estimate, nor swap. */
const HOPELESS = 2

const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toPrecision(3))} GB`

/**
 * What to say of a run that is foretold to need more memory than there is; null where it fits.
 * @throws UserError where it needs several times as much
 */
export function memoryWarning(bytes: number, most = machineBytes()): string | null {
  if (bytes <= most) return null
  const told = `about ${gigabytes(bytes)} of memory, and this machine has ${gigabytes(most)}`
  const advice = 'train.memoryLimit fits the run to a limit; a smaller batch, data.maxLength, rank or model needs less'
  if (bytes > HOPELESS * most) throw new UserError(`This run is foretold to need ${told}: ${advice}.`)
  return `It is foretold to need ${told}; ${advice}.`
}
