import type { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Fields } from '../json-file.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Tensor } from '../nn/method.ts'
import type { TensorEntry } from '../weights/tensor-entry.ts'
import type { Subject } from './adapter.ts'
import type { Json } from './python-json.ts'
import type { Stored } from './stored-tensors.ts'

/** What a folder of adapter-hub says of its adapter. */
export interface HubGiven {
  /** The field `config` of `adapter_config.json`. */
  readonly config: Fields
  /** All of `adapter_config.json`. */
  readonly about: Fields
  /** The adapter's name within its tensors' names. */
  readonly name: string
  /** The tensors of the adapter's file. */
  readonly entries: ReadonlyMap<string, TensorEntry>
  /** `adapter_config.json`, for messages. */
  readonly file: string
  readonly subject: Subject
}

/** How an adapter of adapter-hub is read. */
export interface HubReading {
  readonly options: MethodOptions
  readonly stored: readonly Stored[]
  /** Tensors that may be there besides. */
  readonly ignored?: (name: string) => boolean
  /** What becomes of the tensors once they are read. */
  readonly settle?: (state: ReadonlyMap<string, Tensor>) => Map<string, Tensor>
}

/** A kind of adapter, told by `config.architecture`. Reading throws UserError for forms that are not supported. */
export interface HubArchitecture {
  readonly read: (given: HubGiven) => HubReading
  /** The `config` of options that it can say. */
  readonly config: (options: MethodOptions, subject: Subject) => Record<string, Json>
  /** The file's tensors. */
  readonly write: (options: MethodOptions, state: ReadonlyMap<string, Tensor>, name: string, subject: Subject) => HubWriting
}

interface HubWriting {
  readonly stored: readonly Stored[]
  readonly state: ReadonlyMap<string, Tensor>
}

/** A tensor's name in the file, and without the model's prefix, as adapter-hub reads it too. */
export function hubNames({ model }: Subject, name: string): [string, ...string[]] {
  const prefix = `${model.wiring.prefix}.`
  return name.startsWith(prefix) ? [name, name.slice(prefix.length)] : [name]
}

/**
 * Refuses fields that are not known, and those that are not as by default, each with what it would mean.
 * @throws UserError naming the first
 */
export function refuseFields(
  config: Fields,
  known: ReadonlySet<string>,
  fixed: Fields,
  meanings: Readonly<Record<string, string>>,
  file: string,
): void {
  for (const [field, value] of Object.entries(config)) {
    if (!known.has(field)) {
      if (value === null || value === false) continue
      throw new UserError(`${file}: "${field}" is not known here, so what it asks for would be left out; give another adapter.`)
    }
    const meaning = meanings[field]
    if (meaning === undefined || value === fixed[field]) continue
    throw new UserError(`${file}: "${field}" is ${JSON.stringify(value)}: ${meaning}; that is not supported, so give another adapter.`)
  }
}

/** A config's fields in their types. Throws UserError naming one that cannot be used. */
export function checkedFields<T>(schema: z.ZodType<T>, config: unknown, file: string): T {
  const result = schema.safeParse(config)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new UserError(`${file}: "${issue?.path.join('.')}" cannot be used: ${issue?.message}; give another adapter.`)
}

/** The layers that are not left out; null for all. */
export function layersBut(leftOut: readonly number[], { model }: Subject, file: string): number[] | null {
  if (leftOut.length === 0) return null
  const layers = Array.from({ length: model.wiring.layers }, (_, i) => i).filter((i) => !leftOut.includes(i))
  if (layers.length === 0) throw new UserError(`${file}: "leave_out" leaves out every layer; give another adapter.`)
  return layers
}
