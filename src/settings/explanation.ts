import { z } from 'zod'
import { didYouMean } from '../errors.ts'
import { valueAt } from './plain.ts'

/** The schema behind defaults, nulls and options, as far as `path` leads; unions are followed by the given data's `name`, or to their one object. */
function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[], data: unknown): z.core.$ZodType | null {
  const def = (schema as z.ZodType).def as unknown as Record<string, unknown> & { type: string }
  if (def.innerType) return schemaAt(def.innerType as z.ZodType, path, data)
  if (def.type === 'union') {
    const options = def.options as z.ZodType[]
    const wanted = (data as { name?: unknown } | null)?.name
    const named = options.find((option) => (schemaAt(option, ['name'], data) as z.ZodType | null)?.safeParse(wanted).success)
    const objects = options.filter((option) => option instanceof z.ZodObject)
    const next = named ?? (objects.length === 1 ? objects[0]! : null)
    return next && schemaAt(next, path, data)
  }
  if (path.length === 0) return schema
  const [key, ...rest] = path
  if (schema instanceof z.ZodObject) {
    const next = schema.shape[String(key)] as z.ZodType | undefined
    return next ? schemaAt(next, rest, (data as Record<string, unknown> | null)?.[String(key)]) : null
  }
  return null
}

/** The objects behind defaults, nulls and options; of options told apart by a name, the one that the data names. */
function objectsIn(schema: z.core.$ZodType, data: unknown): z.ZodObject[] {
  if (schema instanceof z.ZodObject) return [schema]
  const known = schemaAt(schema, [], data)
  if (known instanceof z.ZodObject) return [known]
  const { innerType, options = [] } = (schema as z.ZodType).def as { innerType?: z.ZodType; options?: z.ZodType[] }
  return innerType ? objectsIn(innerType, data) : options.flatMap((option) => objectsIn(option, data))
}

/** The places of a key in a schema, as `method.r`. */
function placesOf(key: string, schema: z.core.$ZodType, data: unknown): string[] {
  return objectsIn(schema, data).flatMap(({ shape }) =>
    Object.entries(shape).flatMap(([name, inner]) =>
      name === key ? [key] : placesOf(key, inner as z.ZodType, valueAt(data, [name])).map((place) => `${name}.${place}`),
    ),
  )
}

/** Where a key would be known that is not where it stands. */
function elsewhere(key: string, schema: z.core.$ZodType, data: unknown): string {
  const depth = (place: string): number => place.split('.').length
  const [nearest] = placesOf(key, schema, data).sort((a, b) => depth(a) - depth(b))
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`
}

function keysAt(root: z.core.$ZodType, path: readonly PropertyKey[], data: unknown): string[] {
  const schema = schemaAt(root, path, data)
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** A fault in one sentence, and where it lies in the data. */
export function explain(schema: z.core.$ZodType, issue: z.core.$ZodIssue, data: unknown): { path: readonly PropertyKey[]; text: string } {
  const path = issue.path
  const name = path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    const known = keysAt(schema, path, data)
    const hint = elsewhere(key, schema, data) || didYouMean(key, known) || (known.length > 0 ? ` Known here: ${known.join(', ')}.` : '')
    return { path: [...path, key], text: `the key "${[...path, key].join('.')}" is not known.${hint}` }
  }
  const given = valueAt(data, path)
  if (given === undefined && path.length > 0) return { path: path.slice(0, -1), text: `"${name}" is missing.` }
  if (issue.code === 'invalid_union') {
    const nested = issue.errors?.flat() ?? []
    const discriminator = (issue as { discriminator?: string }).discriminator
    if (discriminator) {
      const at = [...path.filter((key) => key !== discriminator)]
      const names = namesAt(schema, at)
      const word = String((valueAt(data, at) as { name?: unknown } | undefined)?.name)
      return { path, text: `"${at.join('.')}.name" is "${word}"; known are ${names.join(', ')}.${didYouMean(word, names)}` }
    }
    // Of a number or an object, say, the alternative whose type was given tells more.
    const meant =
      typeof given === 'object' &&
      issue.errors?.find((list) => list.every((one) => one.path.length > 0 || !/^invalid_(type|value)$/.test(one.code)))
    if (meant) return explain(schema, { ...meant[0]!, path: [...path, ...meant[0]!.path] }, data)
    // Of a word, the alternative that lists words.
    const listed = typeof given === 'string' ? nested.find(({ code, path: inner }) => code === 'invalid_value' && inner.length === 0) : null
    if (listed) return explain(schema, { ...listed, path: [...path] }, data)
    const text = nested.map(({ message }) => message).find((message) => !message.startsWith('Invalid input')) ?? issue.message
    return { path, text: `"${name}" is ${JSON.stringify(given)}: ${text}.` }
  }
  // Of a group of settings that do not go together, the whole sentence.
  if (issue.code === 'custom' && typeof given === 'object' && !Array.isArray(given)) return { path, text: issue.message }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    return { path, text: `"${name}" is ${JSON.stringify(given)}; known are ${values.join(', ')}.${didYouMean(String(given), values)}` }
  }
  return { path, text: `"${name || 'the config'}" is ${JSON.stringify(given)}: ${issue.message.replace(/^Invalid input: /, '')}.` }
}

/** The names that a union of named options offers at a path. */
function namesAt(root: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let schema = root
  const unwrap = (inner: z.core.$ZodType): z.core.$ZodType => {
    const { innerType } = (inner as z.ZodType).def as { innerType?: z.ZodType }
    return innerType ? unwrap(innerType) : inner
  }
  for (const key of path) {
    schema = unwrap(schema)
    const options = schema instanceof z.ZodObject ? [schema] : (((schema as z.ZodType).def as { options?: z.ZodObject[] }).options ?? [])
    const next = options.map(({ shape }) => shape?.[String(key)]).find(Boolean)
    if (!next) return []
    schema = next as z.ZodType
  }
  const { options } = (unwrap(schema) as z.ZodType).def as { options?: z.ZodObject[] }
  return (options ?? []).flatMap(({ shape }) => [...((shape.name as z.ZodLiteral<string> | undefined)?.values ?? [])])
}
