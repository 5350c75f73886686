import { runJsonSchema } from '../src/config/parse.ts'
import { methodNames } from '../src/methods/index.ts'
import { stepTable } from './against-peft.ts'
import { commandSections } from './commands.ts'
import { methodSettings } from './method-settings.ts'
import { performanceText } from './performance.ts'
import { settingsTables } from './settings.ts'

type Parts = Readonly<Record<string, () => string | Promise<string>>>

/** The page of each method; two share one, which has the settings of the first. */
const methodPages = Object.fromEntries(
  methodNames
    .filter((name) => name !== 'full')
    .map((name): [string, Parts] => [
      `docs/methods/${name === 'head' ? 'head-and-full' : name}.md`,
      { settings: () => methodSettings(name) },
    ]),
)

/** The parts of the documents that are made from the sources, by page and name. */
const parts: Readonly<Record<string, Parts>> = {
  ...methodPages,
  'README.md': { steps: stepTable },
  'docs/commands.md': { commands: commandSections },
  'docs/performance.md': { results: () => performanceText() },
  'docs/run-file.md': {
    settings: () => settingsTables(runJsonSchema(), { method: '[methods](methods/README.md)', task: '[tasks](tasks.md)' }),
  },
}

/** The pages that have such parts. */
export const pages = Object.keys(parts)

/** A page with its parts made anew: what stands between `<!-- name: ... -->` and `<!-- end -->`. */
export async function renewed(page: string, text: string): Promise<string> {
  let result = text
  for (const [name, make] of Object.entries(parts[page]!)) {
    const place = new RegExp(`(<!-- ${name}: .*? -->\n).*?(<!-- end -->)`, 's')
    if (!place.test(result)) throw new Error(`${page} has no place for its ${name}: <!-- ${name}: ... --> and <!-- end -->.`)
    const made = await make()
    result = result.replace(place, (_, start: string, end: string) => `${start}\n${made}\n\n${end}`)
  }
  return result
}
