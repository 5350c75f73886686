import { compare } from '../compare/compare.ts'
import { readComparison } from '../compare/comparison-file.ts'
import { outlookOf, outlookText } from '../compare/outlook.ts'
import { plan } from '../compare/planned.ts'
import { summaryText } from '../compare/summary-tables.ts'
import { collect } from './answering-options.ts'
import type { Define } from './commands.ts'
import { runComparison, sameCommand, type TypedFlags, typed } from './comparison-run.ts'

interface CompareFlags extends TypedFlags {
  readonly quiet?: boolean
  readonly json?: boolean
  readonly dryRun?: boolean
}

/** Compares as a file says; called again, it goes on where it was. Returns the exit code. */
async function compareCommand(file: string, flags: CompareFlags): Promise<number> {
  const comparison = readComparison(file, { quick: flags.quick ?? false, settings: flags.set })
  if (flags.dryRun) {
    const outlook = await outlookOf(await plan(comparison), flags.out ?? comparison.out)
    process.stdout.write(flags.json ? `${JSON.stringify(outlook)}\n` : outlookText(outlook))
    return 0
  }
  const command = typed('compare', file, flags)
  return runComparison({
    quiet: flags.quiet,
    goOn: sameCommand(command),
    async work(watching) {
      const { out, summary } = await compare(comparison, { ...watching, out: flags.out, command })
      return summary && { out, summary }
    },
    text: ({ out, summary }) =>
      flags.json ? `${JSON.stringify(summary)}\n` : `${summaryText(summary)}\nreport  ${out}/report.html\nnumbers ${out}/compare.json\n`,
  })
}

export const defineCompare: Define = (command, exit) =>
  command
    .argument('<file>', 'YAML or JSON: what is compared')
    .option('--set <key=value>', 'change a setting, e.g. run.train.epochs=1; may be repeated', collect, [])
    .option('--quick', 'its short form, which the file gives')
    .option('--out <folder>', 'folder of the comparison')
    .option('--quiet', 'print errors and the result only')
    .option('--json', 'print the result as an object')
    .option('--dry-run', 'check the file and tell what would be run; with --json as an object')
    .action(async (file: string, flags: CompareFlags) => exit(await compareCommand(file, flags)))
