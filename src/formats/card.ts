import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readingFields } from '../data/reading.ts'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { taskNames } from '../heads/index.ts'
import { readFields } from '../json-file.ts'
import { type MethodOptions, methodOptions, plainMethod } from '../methods/index.ts'
import { writeText } from '../weights/atomic-file.ts'
import { digestOf, fileDigest } from '../weights/digest.ts'
import { isDtype } from '../weights/tensor-entry.ts'
import type { Card } from './adapter.ts'
import type { BaseWeights } from './base-weights.ts'

/** adatune's own note in each folder that it writes; Python's libraries ignore it. */
export const CARD_FILE = 'adatune.json'
const VERSION = 1

const count = z.number().int().positive().nullable()
const fields = z.object({
  task: z.enum(taskNames).nullable(),
  labels: z.array(z.string()).nullable(),
  outputs: count,
  baseModel: z.string().nullable(),
  adapterName: z.string().nullable(),
  totalSteps: count,
  reading: z.object({ ...readingFields, maxLength: z.number().int().positive() }).optional(),
  prompt: z.object({ template: z.string(), labelWords: z.record(z.string(), z.string()) }).optional(),
  weights: z.object({ dtype: z.string().refine(isDtype), values: z.array(z.number()) }).optional(),
  files: z.record(z.string().regex(/^[\w-][\w.-]*$/), z.string().regex(/^[0-9a-f]{64}$/)),
})

/** A name that could be one of the hub's, else null: a card names no path of the machine it was made on. */
export function hubName(name: unknown): string | null {
  return typeof name === 'string' && /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(name) ? name : null
}

/** The hub's name of a model that is given by folder or name; null for a folder, whose path says nothing on another machine. */
export const nameOnHub = (model: string): string | null => (existsSync(model) ? null : hubName(model))

/** What adatune noted in a folder that it wrote. */
export interface Note {
  readonly card: Card
  readonly options: MethodOptions
  /** Of the model that it was made for; null where nothing of it is left. */
  readonly weights: BaseWeights | null
  /** The SHA-256 of every other file that was written with it. */
  readonly files: Readonly<Record<string, string>>
}

/** The last line holds the SHA-256 of all bytes before it. */
const seal = (body: Uint8Array): string => `  "sha256": "${digestOf(body)}"\n}\n`
const SEAL_BYTES = Buffer.byteLength(seal(Buffer.alloc(0)))

/** Notes the method's options, what the card holds, some weights of the model, and the SHA-256 of each file that is in the folder already. */
export function writeCard(folder: string, method: MethodOptions, given: Card, weights: BaseWeights | null): void {
  const { task, labels, outputs, baseModel, adapterName, totalSteps, reading, prompt } = given
  const files = Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, fileDigest(join(folder, name))]),
  )
  const card = {
    format: VERSION,
    method,
    task,
    labels,
    outputs,
    baseModel: hubName(baseModel),
    adapterName,
    totalSteps,
    reading,
    prompt,
    weights: weights ?? undefined,
    files,
  }
  const body = `${JSON.stringify(card, null, 2).slice(0, -2)},\n`
  writeText(join(folder, CARD_FILE), body + seal(Buffer.from(body)))
}

/** What adatune noted in a folder; null where it noted nothing. Throws UserError where the note is damaged. */
export function readCard(folder: string): Note | null {
  const file = join(folder, CARD_FILE)
  if (!existsSync(file)) return null
  const damaged = (what: string): UserError => new UserError(`${file} is damaged: ${what}; copy the folder or save the adapter again.`)
  const { format, method, sha256: _, ...rest } = readFields(file)
  const bytes = explained(file, () => readFileSync(file))
  const body = bytes.subarray(0, -SEAL_BYTES)
  if (!bytes.subarray(-SEAL_BYTES).equals(Buffer.from(seal(body)))) throw damaged('its last line is not the SHA-256 of the lines before')
  if (format !== VERSION) throw new UserError(`${file} has the format ${JSON.stringify(format)}, known is ${VERSION}; update adatune.`)
  const note = fields.safeParse(rest)
  if (!note.success) throw damaged(`"${note.error.issues[0]?.path.join('.')}": ${note.error.issues[0]?.message}`)
  const options = methodOptions.safeParse(method)
  if (!options.success) throw damaged(`"method.${options.error.issues[0]?.path.join('.')}": ${options.error.issues[0]?.message}`)
  if (plainMethod({ options: options.data, memory: null }).options.name !== options.data.name)
    throw damaged('it names a mixture that is merged, which has no folder of its own')
  const { files, weights = null, ...card } = note.data
  return { card, options: options.data, weights, files }
}

/**
 * Checks that the files are those that adatune wrote beside its note; others in the folder do not count.
 * @param library whose format it is besides; null where the note is needed to read it
 * @throws UserError where one is missing or has changed
 */
export function checkFiles(folder: string, { files }: Note, library: string | null): void {
  const again = library === null ? '' : `, or delete ${join(folder, CARD_FILE)} to read the folder as ${library} left it`
  for (const [name, digest] of Object.entries(files)) {
    const file = join(folder, name)
    if (!existsSync(file)) throw new UserError(`${file} is missing, though adatune wrote it; copy the folder again${again}.`)
    if (fileDigest(file) !== digest)
      throw new UserError(`${file} has changed since adatune wrote it (its SHA-256 is another); copy the folder again${again}.`)
  }
}
