import { z } from 'zod'
import { type MethodName, methods } from '../src/methods/index.ts'
import { markdownTable } from '../src/track/markdown-table.ts'
import { code, type Schema, takes, withoutNull } from './settings.ts'

/** A default as one would write it: of a group of settings its name, where it has one. */
function written(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return code(value)
  return 'name' in value ? `\`{ name: ${value.name} }\`` : code(value)
}

/** What a method's setting takes; the parts of a group are told on the page. */
const kind = (schema: Schema): string => takes(withoutNull(schema)).replace(/^(settings or )+settings$/, 'settings')

/** The settings of a method with their defaults. */
export function methodSettings(name: MethodName): string {
  const { properties = {} } = z.toJSONSchema(methods[name].options, { io: 'input' }) as Schema
  const rows = Object.entries(properties)
    .filter(([key]) => key !== 'name')
    .map(([key, schema]) => {
      if (!schema.description) throw new Error(`The setting ${key} of ${name} has no description in its schema.`)
      return [code(key), written(schema.default), kind(schema), schema.description]
    })
  return markdownTable(['setting', 'default', 'takes', 'meaning'], rows)
}
