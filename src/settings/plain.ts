import { UserError } from '../errors.ts'
import { yaml } from './yaml.ts'

const forbidden = new Set(['__proto__', 'constructor', 'prototype'])

/** Refuses keys that could reach an object's prototype, at any depth, and aliases of YAML that lead back to themselves. */
export function assertPlain(value: unknown, where: string, around: readonly unknown[] = []): void {
  if (typeof value !== 'object' || value === null) return
  if (around.includes(value)) throw new UserError(`${where}: an alias stands within what it names.`)
  for (const [key, inner] of Object.entries(value)) {
    if (forbidden.has(key)) throw new UserError(`${where}: the key "${key}" is not allowed.`)
    assertPlain(inner, where, [...around, value])
  }
}

/** The value at a path of plain data; undefined where there is none. */
export const valueAt = (data: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined), data)

/** One `--set a.b=value`; the value is YAML. Where a group has a key `b.c`, `a.b.c` is that. */
function assign(target: Record<string, unknown>, setting: string, flag: string): void {
  const equals = setting.indexOf('=')
  if (equals < 1) throw new UserError(`${flag} ${setting}: write it as ${flag} name=value.`)
  const path = setting.slice(0, equals).split('.')
  const bad = path.find((key) => key === '' || forbidden.has(key))
  if (bad !== undefined) throw new UserError(`${flag} ${setting}: the key "${bad}" is not allowed.`)
  let value: unknown
  try {
    value = yaml().parse(setting.slice(equals + 1), { prettyErrors: false })
  } catch (error) {
    throw new UserError(`${flag} ${setting}: the value cannot be read: ${(error as Error).message}.`)
  }
  assertPlain(value, `${flag} ${setting}`)
  let at = target
  for (const [depth, key] of path.slice(0, -1).entries()) {
    // A key may have dots itself.
    const rest = path.slice(depth).join('.')
    if (Object.hasOwn(at, rest)) {
      at[rest] = value
      return
    }
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

/** The one of such changes that decided what stands at a path: the last that set it, or made the group that is not `there` otherwise. */
export function settingAt(settings: readonly string[], path: readonly PropertyKey[], there: boolean): string | undefined {
  const asked = `${path.join('.')}.`
  const set = (setting: string): string => `${setting.split('=')[0]}.`
  return (
    settings.findLast((one) => asked.startsWith(set(one))) ?? (there ? undefined : settings.findLast((one) => set(one).startsWith(asked)))
  )
}
