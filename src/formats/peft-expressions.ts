import { runInNewContext } from 'node:vm'
import { UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import type { Fields } from '../json-file.ts'
import type { Subject } from './adapter.ts'
import { moduleNames } from './peft-targets.ts'

/** Ample for any sensible expression on all names of a model; beyond it, one that backtracks without end. */
const MILLISECONDS = 2000
const isPlain = (text: string): boolean => /^[\w.-]*$/.test(text)

const keysOf = (value: unknown): string[] => (isObject(value) ? Object.keys(value) : [])
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [])

/** What a config has for expressions, by field, as they will be put together. */
function expressionsIn(config: Fields): [field: string, text: string, whole: string][] {
  const whole = ['target_modules', 'exclude_modules'].flatMap((field): [string, string, string][] => {
    const text = config[field]
    return typeof text === 'string' ? [[field, text, `^(?:${text})$`]] : []
  })
  // AdaLoRA's ranks are named by whole modules.
  const patterns = config.peft_type === 'ADALORA' ? [] : ['rank_pattern', 'alpha_pattern']
  const ends = patterns.flatMap((field) =>
    keysOf(config[field]).map((text): [string, string, string] => [field, text, `(^|.*\\.)(${text})$`]),
  )
  const saved = textsOf(config.modules_to_save).map((text): [string, string, string] => [
    'modules_to_save',
    text,
    `^(|.*\\.)${text}($|\\..*)`,
  ])
  return [...whole, ...ends, ...saved].filter(([, text]) => !isPlain(text))
}

/**
 * Tries each expression of a PEFT config on all names of the model, with a limit of time: a folder from elsewhere may hold one that
 * never ends.
 * @throws UserError for an expression that cannot be read or takes too long
 */
export function checkExpressions(config: Fields, subject: Subject, file: string): void {
  const names = moduleNames(subject)
  for (const [field, text, whole] of expressionsIn(config)) {
    const refused = (why: string): UserError =>
      new UserError(`${file}: "${field}" has the expression "${text}", ${why}; list the modules instead.`)
    try {
      new RegExp(whole)
    } catch (error) {
      throw refused(`which is none here: ${(error as Error).message}`)
    }
    try {
      runInNewContext('for (const name of names) new RegExp(whole).test(name)', { names, whole }, { timeout: MILLISECONDS })
    } catch {
      throw refused(`which takes too long on this model's names`)
    }
  }
}
