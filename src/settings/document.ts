import { existsSync, readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { explain } from './explanation.ts'
import { assertPlain, settingAt, withSettings } from './plain.ts'

/**
 * Settings out of plain data; `locate` tells where a path of them was written.
 * @throws UserError with the first fault in one sentence
 */
export function parseSettings<T>(
  schema: z.ZodType<T>,
  raw: unknown,
  where: string,
  locate: (path: readonly PropertyKey[]) => string = () => where,
): T {
  assertPlain(raw, where)
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const { path, text } = explain(schema, result.error.issues[0]!, raw)
  throw new UserError(`${locate(path)}: ${text}`)
}

/**
 * Reads a file of settings, YAML or JSON, with `--set` changes on top; `what` it is in words. `prepared` changes them in place before they
 * are checked.
 * @throws UserError for wrong or unknown keys, with file, line and the nearest valid name
 */
export function readSettings<T>(
  schema: z.ZodType<T>,
  file: string,
  what: string,
  settings: readonly string[] = [],
  prepared: (raw: Record<string, unknown>, locate: (path: readonly PropertyKey[]) => string) => void = () => {},
): T {
  if (!existsSync(file))
    throw new UserError(`The ${what} ${file} does not exist; check the path (a relative one starts at the working directory).`)
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
    const setting = settingAt(settings, path, document.hasIn(path))
    if (setting !== undefined) return `--set ${setting}`
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined
      if (node?.range) return `${file}:${lines.linePos(node.range[0]).line}`
    }
    return file
  }
  prepared(withSettings(target, settings), locate)
  return parseSettings(schema, target, file, locate)
}
