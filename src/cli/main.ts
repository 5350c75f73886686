import { CommanderError } from 'commander'
import { UserError } from '../errors.ts'
import { program } from './program.ts'
import { outliveReaders } from './readers.ts'

/** What a user can mend: settings, files, rows. */
const USER_ERROR = 2

/** Runs one command line; returns the exit code. Errors that the user can mend are one sentence on stderr. */
export async function main(args: readonly string[]): Promise<number> {
  outliveReaders()
  let code = 0
  try {
    // The command, or `help` and the command.
    const root = await program(args.slice(0, 2), (given) => {
      code = given
    })
    // `help` of no command would be the general one.
    const [first, asked] = args
    const unknown = first === 'help' && asked !== undefined && !root.commands.some((command) => command.name() === asked)
    await root.parseAsync(unknown ? [asked] : args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_ERROR
    if (!(error instanceof UserError)) throw error
    process.stderr.write(`adatune: ${error.message}\n`)
    return USER_ERROR
  }
  return code
}
