import { UserError } from '../errors.ts'

/** Settings that are paths or names of models. */
const paths: readonly (readonly string[])[] = [
  ['model'],
  ['task'],
  ['adapter'],
  ['out'],
  ['data', 'train'],
  ['data', 'eval'],
  ['data', 'test'],
]

/** What is to be in the variables of files that come with the package. */
const meanings = new Map([['ADATUNE_ASSETS', 'a folder with models/ and data/, in which is what such files name']])

type Settings = Record<string, unknown>

/** Where text stands at a path: there, or under each name of the files that stand there. */
function* texts(settings: Settings, path: readonly string[]): Generator<readonly [holder: Settings, path: readonly string[]]> {
  const group = path.slice(0, -1).reduce<unknown>((at, key) => (at as Settings | null | undefined)?.[key], settings) as Settings | undefined
  const given = group?.[path.at(-1)!]
  if (typeof given === 'string') yield [group!, path]
  else if (path[0] === 'data' && typeof given === 'object' && given !== null)
    for (const [name, file] of Object.entries(given)) if (typeof file === 'string') yield [given as Settings, [...path, name]]
}

/**
 * Puts environment variables in place of `$NAME` and `${NAME}` in the settings that are paths; `$$` stands for a dollar sign.
 * @throws UserError for a variable that is not set, with the place of the setting
 */
export function expandVariables(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  locate: (path: readonly string[]) => string,
): void {
  for (const [holder, path] of paths.flatMap((each) => [...texts(settings, each)])) {
    const given = holder[path.at(-1)!] as string
    holder[path.at(-1)!] = given.replaceAll(/\$(?:(\$)|\{(\w+)\}|([A-Za-z_]\w*))/g, (_, dollar, braced, bare) => {
      if (dollar) return dollar
      const name = braced ?? bare
      const value = environment[name]
      if (value) return value
      const meaning = meanings.get(name)
      const way = `set it${meaning === undefined ? '' : ` to ${meaning}`}, or write $$ for a dollar sign`
      throw new UserError(`${locate(path)}: "${path.join('.')}" is ${JSON.stringify(given)}, and the variable ${name} is not set: ${way}.`)
    })
  }
}
