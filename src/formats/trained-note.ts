import { UserError } from '../errors.ts'
import type { Trained } from '../methods/definition.ts'
import { type MethodOptions, methodOptions } from '../methods/index.ts'

/** Metadata of a file of tensors. */
type Metadata = ReadonlyMap<string, string>

const METHOD = 'method'
/** What the method remembers decides its shapes. */
const MEMORY = 'memory'

function parsed(file: string, metadata: Metadata, key: string): unknown {
  try {
    return JSON.parse(metadata.get(key) ?? 'null')
  } catch {
    throw new UserError(`${file} is damaged: its metadata "${key}" is not JSON; save it again.`)
  }
}

/** What a method remembers, as metadata of the file that holds its tensors. */
export const memoryNote = (memory: unknown): Record<string, string> => (memory === null ? {} : { [MEMORY]: JSON.stringify(memory) })

/** What a file notes that its method remembers; null where it notes nothing. Throws UserError where the note is damaged. */
export const notedMemory = (file: string, metadata: Metadata): unknown => parsed(file, metadata, MEMORY)

/** A method's options and what it remembers, as metadata of the file that holds its tensors. */
export const trainedNote = ({ options, memory }: Trained<MethodOptions>): Record<string, string> => ({
  [METHOD]: JSON.stringify(options),
  ...memoryNote(memory),
})

/** The method that a file notes; null where it notes none that is known. Throws UserError where the note is damaged. */
export function notedMethod(file: string, metadata: Metadata): Trained<MethodOptions> | null {
  const options = methodOptions.safeParse(parsed(file, metadata, METHOD))
  return options.success ? { options: options.data, memory: notedMemory(file, metadata) } : null
}
