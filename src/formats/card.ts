import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { taskNames } from '../heads/index.ts'
import { type MethodOptions, methodOptions, plainMethod } from '../methods/index.ts'
import type { Card } from './adapter.ts'
import { readFields, writeText } from './json-file.ts'

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
  reading: z
    .object({
      maxLength: z.number().int().positive(),
      columns: z.object({ text: z.string(), pair: z.string().nullish(), label: z.string() }).nullable(),
    })
    .optional(),
})

/** A name that could be one of the hub's, else null: a card names no path of the machine it was made on. */
export function hubName(name: unknown): string | null {
  return typeof name === 'string' && /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(name) ? name : null
}

/** The card's text: the method's options, then what the card holds. */
export function writeCard(folder: string, method: MethodOptions, given: Card): void {
  const { task, labels, outputs, baseModel, adapterName, totalSteps, reading } = given
  const card = { format: VERSION, method, task, labels, outputs, baseModel: hubName(baseModel), adapterName, totalSteps, reading }
  writeText(join(folder, CARD_FILE), `${JSON.stringify(card, null, 2)}\n`)
}

/** The card that adatune left in a folder, with the method's options; null where there is none. Throws UserError for a damaged one. */
export function readCard(folder: string): { card: Card; options: MethodOptions } | null {
  const file = join(folder, CARD_FILE)
  if (!existsSync(file)) return null
  const { format, method, ...rest } = readFields(file)
  if (format !== VERSION) throw new UserError(`${file} has the format ${JSON.stringify(format)}, known is ${VERSION}; update adatune.`)
  const damaged = (what: string): UserError => new UserError(`${file} is damaged: ${what}; save the adapter again.`)
  const card = fields.safeParse(rest)
  if (!card.success) throw damaged(`"${card.error.issues[0]?.path.join('.')}": ${card.error.issues[0]?.message}`)
  const options = methodOptions.safeParse(method)
  if (!options.success) throw damaged(`"method.${options.error.issues[0]?.path.join('.')}": ${options.error.issues[0]?.message}`)
  if (plainMethod({ options: options.data, memory: null }).options.name !== options.data.name)
    throw damaged('it names a mixture that is merged, which has no folder of its own')
  return { card: card.data, options: options.data }
}
