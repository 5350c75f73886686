import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../cli/project.ts'

/** A document of the repository. */
export const document = (name: string): string => readFileSync(join(repository, name), 'utf8')

interface Block {
  /** What stands behind the fence: a language, perhaps with a word more. */
  readonly info: string
  readonly body: string
}

/** The fenced blocks of a text, in order. */
export const fenced = (text: string): Block[] =>
  [...text.matchAll(/^```([^\n]*)\n(.*?)^```/gms)].map(([, info, body]) => ({ info: info!, body: body! }))

/** Those of a language. */
export const blocks = (text: string, language: string): string[] =>
  fenced(text).flatMap(({ info, body }) => (info === language ? [body] : []))

/** Those of a language that name a file behind it, with that name. */
export const namedBlocks = (text: string, language: string): { readonly name: string; readonly body: string }[] =>
  fenced(text).flatMap(({ info, body }) => {
    const [first, name] = info.split(' ')
    return first === language && name?.includes('.') ? [{ name, body }] : []
  })

/** The calls of adatune in a block of shell lines, as arguments; comments behind them are left out. */
export const calls = (block: string): string[][] =>
  block
    .split('\n')
    .flatMap((line) => /^(?:adatune|node bin\/adatune\.js) (.*?)(?: +#.*)?$/.exec(line)?.[1] ?? [])
    .map((line) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!))
