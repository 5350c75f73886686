import type { Command } from 'commander'
import { commands } from '../src/cli/commands.ts'
import { program } from '../src/cli/program.ts'
import { markdownTable } from '../src/track/markdown-table.ts'

const standard = (value: unknown): string =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0) ? '' : `; \`${value}\` by default`

/** Help is plain text: what Markdown would take for emphasis is a word as it is typed. */
const typed = (text: string): string => text.replaceAll(/__\w+__/g, '`$&`')

/** A command: what it is for, how it is called, its options. */
function section(command: Command): string {
  const given = command.registeredArguments.map((one) => (one.required ? ` <${one.name()}>` : ` [${one.name()}]`)).join('')
  const needed = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => ` ${flags}`)
  const rows = [
    ...command.registeredArguments.map((argument) => [`\`${argument.name()}\``, argument.description]),
    // What must be given comes first.
    ...command.options
      .toSorted((a, b) => Number(b.mandatory) - Number(a.mandatory))
      .map((option) => [`\`${option.flags}\``, typed(option.description) + standard(option.defaultValue)]),
  ]
  const call = `adatune ${command.name()}${given}${needed.join('')}`
  const about = command.description()
  const text = `## ${command.name()}\n\n\`${call}\`: ${about}.`
  return rows.length === 0 ? text : `${text}\n\n${markdownTable(['option', 'meaning'], rows)}`
}

/** Every command with its options, as `--help` tells them. */
export async function commandSections(): Promise<string> {
  const root = await program(Object.keys(commands), () => {})
  return root.commands.map(section).join('\n\n')
}
