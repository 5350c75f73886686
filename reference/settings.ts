import { markdownTable } from '../src/track/markdown-table.ts'

/** The parts of JSON Schema that settings have. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema | false
  readonly prefixItems?: readonly Schema[]
  readonly additionalProperties?: Schema | false
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
}

const isWord = (value: unknown): value is string => typeof value === 'string' && /^\S+$/.test(value)

/** A value as YAML takes it. */
export const code = (value: unknown): string => {
  if (isWord(value)) return `\`${value}\``
  if (Array.isArray(value) && value.every(isWord)) return `\`[${value.join(', ')}]\``
  return `\`${JSON.stringify(value).replaceAll(',', ', ')}\``
}

const alternatives = (schema: Schema): readonly Schema[] => schema.anyOf ?? schema.oneOf ?? []

/** The bounds of a number in words; that whole numbers end somewhere need not be said. */
function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const low =
    exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : minimum === undefined || minimum < -1e15 ? '' : `from ${minimum}`
  const high = exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : maximum === undefined || maximum > 1e15 ? '' : `to ${maximum}`
  return [low, high].filter(Boolean).join(' ')
}

/** What a setting takes, in words. */
export function takes(schema: Schema): string {
  const { type, items, prefixItems } = schema
  const among = alternatives(schema)
  if (among.length > 0) return [...new Set(among.map(takes))].join(' or ')
  if (schema.enum) return schema.enum.map(code).join(', ')
  if (schema.const !== undefined) return code(schema.const)
  if (Array.isArray(type)) return type.map((one: string) => takes({ ...schema, type: one })).join(' or ')
  if (prefixItems) return `[${prefixItems.map(takes).join(', ')}]`
  if (type === 'array') return `list of ${items ? takes(items) : 'values'}`
  if (type === 'integer') return schema.exclusiveMinimum === 0 ? 'count' : ['whole number', range(schema)].filter(Boolean).join(' ')
  if (type === 'number') return ['number', range(schema)].filter(Boolean).join(' ')
  if (type === 'boolean') return '`true`, `false`'
  if (type === 'string') return 'text'
  if (type === 'object') return schema.properties ? 'settings' : `${takes(schema.additionalProperties || {})} by name`
  return type === 'null' ? '`null`' : 'anything'
}

/** The settings within a setting, of all forms that it may have: those of the same name are one. */
function within(schema: Schema): Map<string, { readonly schema: Schema; readonly required: boolean }> {
  const inner = schema.items ? [schema.items] : alternatives(schema)
  const found = inner.flatMap((one) => [...within(one)])
  const own = Object.entries(schema.properties ?? {}).map(
    ([name, one]) => [name, { schema: one, required: schema.required?.includes(name) ?? false }] as const,
  )
  const merged = new Map<string, { schema: Schema; required: boolean }>()
  for (const [name, one] of [...own, ...found]) {
    const known = merged.get(name)
    merged.set(name, known ? { ...known, schema: { anyOf: [known.schema, one.schema], description: known.schema.description! } } : one)
  }
  return merged
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null || Array.isArray(value)

/** The null that is the default need not be said twice. */
export function withoutNull(schema: Schema): Schema {
  if (schema.default !== null) return schema
  if (Array.isArray(schema.type)) return { ...schema, type: schema.type.filter((one) => one !== 'null') }
  return schema.anyOf ? { ...schema, anyOf: schema.anyOf.filter(({ type }) => type !== 'null') } : schema
}

type Pages = Readonly<Record<string, string>>

function rows(schema: Schema, path: string, pages: Pages): string[][] {
  return [...within(schema)].flatMap(([name, { schema: one, required }]) => {
    const key = path + name
    if (!one.description) throw new Error(`The setting ${key} has no description in its schema.`)
    const standard = one.default === undefined ? (required ? 'must be there' : '') : isPlain(one.default) ? code(one.default) : ''
    const row = (what: string): string[] => [code(key), what, standard, one.description!]
    return pages[key] ? [row(pages[key])] : [row(takes(withoutNull(one))), ...rows(one, `${key}.`, pages)]
  })
}

/** Tables of all settings of a JSON Schema, one for each group. Settings that `pages` names are told of elsewhere. */
export function settingsTables(schema: unknown, pages: Pages): string {
  const all = rows(schema as Schema, '', pages)
  const groupOf = ([key]: readonly string[]): string | null => /^`(\w+)\./.exec(key!)?.[1] ?? null
  const groups = [...new Set(all.map(groupOf))]
  const table = (group: string | null): string =>
    markdownTable(
      ['setting', 'takes', 'default', 'meaning'],
      all.filter((row) => groupOf(row) === group),
    )
  return groups.map((group) => (group === null ? table(group) : `### ${group}\n\n${table(group)}`)).join('\n\n')
}
