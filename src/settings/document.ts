import { existsSync, readFileSync } from 'node:fs'
import type { z } from 'zod'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { duplicateKey } from '../weights/duplicate-key.ts'
import { explain } from './explanation.ts'
import { assertPlain, settingAt, withSettings } from './plain.ts'
import { yaml } from './yaml.ts'

/** The data of a text that is JSON, which YAML would read alike; undefined for others, and where a key is there twice. */
function jsonOf(text: string): unknown {
  try {
    const data: unknown = JSON.parse(text)
    return duplicateKey(text) === undefined ? data : undefined
  } catch {
    return undefined
  }
}

/** A text as YAML, with the places of what it holds. */
function documentOf(text: string) {
  const { LineCounter, parseDocument } = yaml()
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAt = (offset: number): number => lines.linePos(offset).line
  return { document, lineAt }
}

function yamlOf(text: string, file: string): unknown {
  const { document, lineAt } = documentOf(text)
  const [fault] = document.errors
  if (fault) throw new UserError(`${file}:${lineAt(fault.pos[0])}: ${fault.message}.`)
  try {
    return document.toJS()
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}.`)
  }
}

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
  const text = explained(file, () => readFileSync(file, 'utf8'))
  const raw = jsonOf(text) ?? yamlOf(text, file) ?? {}
  if (typeof raw !== 'object' || Array.isArray(raw)) throw new UserError(`${file} does not hold settings, "key: value".`)
  const target = raw as Record<string, unknown>
  assertPlain(target, file)
  const locate = (path: readonly PropertyKey[]): string => {
    const { document, lineAt } = documentOf(text)
    const setting = settingAt(settings, path, document.hasIn(path))
    if (setting !== undefined) return `--set ${setting}`
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined
      if (node?.range) return `${file}:${lineAt(node.range[0])}`
    }
    return file
  }
  prepared(withSettings(target, settings), locate)
  return parseSettings(schema, target, file, locate)
}
