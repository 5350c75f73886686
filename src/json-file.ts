import { readFileSync } from 'node:fs'
import { UserError } from './errors.ts'
import { explained } from './file-faults.ts'
import { isObject } from './is-object.ts'

/** An object of a JSON file, its values unchecked. */
export type Fields = Readonly<Record<string, unknown>>

/** The value that a JSON file holds. Throws UserError where there is none. */
export function readJson(file: string): unknown {
  const text = explained(file, () => readFileSync(file, 'utf8'))
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UserError(`${file} is not JSON (${(error as Error).message}); copy or download it again.`)
  }
}

/** The object that a JSON file holds. Throws UserError where there is none. */
export function readFields(file: string): Fields {
  const json = readJson(file)
  if (!isObject(json)) throw new UserError(`${file} does not hold a JSON object; copy or download it again.`)
  return json
}
