import { readFileSync } from 'node:fs'
import { UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import { writeAtomically } from '../weights/atomic-file.ts'
import { explained } from '../weights/file-access.ts'

/** An object of a JSON file, its values unchecked. */
export type Fields = Readonly<Record<string, unknown>>

/** The object that a JSON file holds. Throws UserError where there is none. */
export function readFields(file: string): Fields {
  const text = explained(file, () => readFileSync(file, 'utf8'))
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${file} is not JSON (${(error as Error).message}); copy or download it again.`)
  }
  if (!isObject(json)) throw new UserError(`${file} does not hold a JSON object; copy or download it again.`)
  return json
}

/** Writes a text file, whole or not at all. */
export function writeText(file: string, text: string): void {
  writeAtomically(file, (append) => append(Buffer.from(text)))
}
