import { Command, Help, type Option } from 'commander'
import { version } from '../package.ts'
import { commands } from './commands.ts'

/** Commander's message, of one or two lines, as one sentence like every other. */
function sentence(text: string): string {
  const [fault, hint] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n')
  return `adatune: ${fault!.replace(/\.?$/, '.')}${hint ? ` ${hint.replace(/^\(|\)$/g, '')}` : ''}\n`
}

/** An option that may be repeated has none by default, which goes without saying. */
function optionDescription(option: Option): string {
  const none = Array.isArray(option.defaultValue) && option.defaultValue.length === 0
  return none ? option.description : Help.prototype.optionDescription(option)
}

/** The command line with all commands by name; those that are `wanted` with their options, too. `exit` is told the exit code. */
export async function program(wanted: readonly string[], exit: (code: number) => void): Promise<Command> {
  const root = new Command('adatune')
  root.description('Parameter-efficient fine-tuning of Hugging Face transformers on ONNX Runtime.').version(version).exitOverride()
  root.configureHelp({ optionDescription })
  root.configureOutput({ outputError: (text, write) => write(sentence(text)) })
  for (const [name, { about, load }] of Object.entries(commands)) {
    const command = root.command(name).description(about)
    if (wanted.includes(name)) (await load())(command, exit)
  }
  return root
}
