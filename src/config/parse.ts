import { existsSync, readFileSync } from 'node:fs'
import { LineCounter, parseDocument, parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { didYouMean, UserError } from '../errors.ts'
import { explained } from '../weights/file-access.ts'
import { type RunConfig, runConfig } from './run-config.ts'
import { expandVariables } from './variables.ts'

const forbidden = new Set(['__proto__', 'constructor', 'prototype'])

/** Refuses keys that could reach an object's prototype, at any depth, and aliases of YAML that lead back to themselves. */
function assertPlain(value: unknown, where: string, around: readonly unknown[] = []): void {
  if (typeof value !== 'object' || value === null) return
  if (around.includes(value)) throw new UserError(`${where}: an alias stands within what it names.`)
  for (const [key, inner] of Object.entries(value)) {
    if (forbidden.has(key)) throw new UserError(`${where}: the key "${key}" is not allowed.`)
    assertPlain(inner, where, [...around, value])
  }
}

/** One `--set a.b=value`; the value is YAML. */
function assign(target: Record<string, unknown>, setting: string, flag: string): void {
  const equals = setting.indexOf('=')
  if (equals < 1) throw new UserError(`${flag} ${setting}: write it as ${flag} name=value.`)
  const path = setting.slice(0, equals).split('.')
  const bad = path.find((key) => key === '' || forbidden.has(key))
  if (bad !== undefined) throw new UserError(`${flag} ${setting}: the key "${bad}" is not allowed.`)
  let value: unknown
  try {
    value = parseYaml(setting.slice(equals + 1), { prettyErrors: false })
  } catch (error) {
    throw new UserError(`${flag} ${setting}: the value cannot be read: ${(error as Error).message}.`)
  }
  assertPlain(value, `${flag} ${setting}`)
  let at = target
  for (const key of path.slice(0, -1)) {
    const inner = Object.hasOwn(at, key) ? (at[key] ?? {}) : {}
    if (typeof inner !== 'object' || Array.isArray(inner))
      throw new UserError(`${flag} ${setting}: "${key}" is one value, not a group of settings.`)
    at[key] = { ...inner }
    at = at[key] as Record<string, unknown>
  }
  at[path.at(-1)!] = value
}

/** Plain settings with `--set` changes made in place. */
export function withSettings(target: Record<string, unknown>, settings: readonly string[], flag = '--set'): Record<string, unknown> {
  for (const setting of settings) assign(target, setting, flag)
  return target
}

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

function keysAt(path: readonly PropertyKey[], data: unknown): string[] {
  const schema = schemaAt(runConfig, path, data)
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** The value at a path of plain data. */
const valueAt = (data: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined), data)

/** The first fault in one sentence. */
function explain(issue: z.core.$ZodIssue, data: unknown): { path: readonly PropertyKey[]; text: string } {
  const path = issue.path
  const name = path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    const known = keysAt(path, data)
    const hint = didYouMean(key, known) || (known.length > 0 ? ` Known here: ${known.join(', ')}.` : '')
    return { path: [...path, key], text: `the key "${[...path, key].join('.')}" is not known.${hint}` }
  }
  const given = valueAt(data, path)
  if (given === undefined && path.length > 0) return { path: path.slice(0, -1), text: `"${name}" is missing.` }
  if (issue.code === 'invalid_union') {
    const nested = issue.errors?.flat() ?? []
    const discriminator = (issue as { discriminator?: string }).discriminator
    if (discriminator) {
      const at = [...path.filter((key) => key !== discriminator)]
      const names = namesAt(at)
      const word = String((valueAt(data, at) as { name?: unknown } | undefined)?.name)
      return { path, text: `"${at.join('.')}.name" is "${word}"; known are ${names.join(', ')}.${didYouMean(word, names)}` }
    }
    // Of a number or an object, say, the alternative whose type was given tells more.
    const meant =
      typeof given === 'object' && issue.errors?.find((list) => list.every((one) => one.path.length > 0 || one.code !== 'invalid_type'))
    if (meant) return explain({ ...meant[0]!, path: [...path, ...meant[0]!.path] }, data)
    const text = nested.map(({ message }) => message).find((message) => !message.startsWith('Invalid input')) ?? issue.message
    return { path, text: `"${name}" is ${JSON.stringify(given)}: ${text}.` }
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    return { path, text: `"${name}" is ${JSON.stringify(given)}; known are ${values.join(', ')}.${didYouMean(String(given), values)}` }
  }
  return { path, text: `"${name || 'the config'}" is ${JSON.stringify(given)}: ${issue.message.replace(/^Invalid input: /, '')}.` }
}

/** The names that a union of named options offers at a path. */
function namesAt(path: readonly PropertyKey[]): string[] {
  let schema: z.core.$ZodType = runConfig
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

/** Parses a run from plain data; `locate` tells where a path of it was written. */
export function parseRun(raw: unknown, where: string, locate: (path: readonly PropertyKey[]) => string = () => where): RunConfig {
  assertPlain(raw, where)
  const result = runConfig.safeParse(raw)
  if (result.success) return result.data
  const { path, text } = explain(result.error.issues[0]!, raw)
  throw new UserError(`${locate(path)}: ${text}`)
}

/** Reads a run file, YAML or JSON, with `--set` changes on top. Paths take variables of the environment. Wrong or unknown keys are errors with file, line and the nearest valid name. */
export function readRun(file: string, settings: readonly string[] = []): RunConfig {
  if (!existsSync(file)) throw new UserError(`The run file ${file} does not exist.`)
  const lines = new LineCounter()
  const text = explained(file, () => readFileSync(file, 'utf8'))
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [fault] = document.errors
  if (fault) throw new UserError(`${file}:${lines.linePos(fault.pos[0]).line}: ${fault.message}.`)
  let raw: unknown
  try {
    raw = document.toJS() ?? {}
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}.`)
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw new UserError(`${file} does not hold settings, "key: value".`)
  const target = raw as Record<string, unknown>
  assertPlain(target, file)
  const locate = (path: readonly PropertyKey[]): string => {
    const written = path.join('.')
    const setting = settings.find((one) => `${written}.`.startsWith(`${one.split('=')[0]}.`))
    if (setting !== undefined) return `--set ${setting}`
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined
      if (node?.range) return `${file}:${lines.linePos(node.range[0]).line}`
    }
    return file
  }
  withSettings(target, settings)
  expandVariables(target, process.env, locate)
  return parseRun(target, file, locate)
}

/** The schema of run files as JSON Schema, for editors. */
export function runJsonSchema(): unknown {
  return z.toJSONSchema(runConfig, { io: 'input' })
}
