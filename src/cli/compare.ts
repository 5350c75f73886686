import { compare } from '../compare/compare.ts'
import { readComparison } from '../compare/comparison-file.ts'
import { plan, planText } from '../compare/planned.ts'
import { speedOf } from '../compare/speed.ts'
import { summaryText } from '../compare/summary-tables.ts'
import { comparisonTerminal } from '../compare/terminal.ts'
import { collect } from './answering-options.ts'
import type { Define } from './commands.ts'
import { INTERRUPTED, watchSignals } from './signals.ts'

interface CompareFlags {
  readonly set: readonly string[]
  readonly out?: string
  readonly quiet?: boolean
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly quick?: boolean
}

/** What was typed, for who wants to repeat it. */
const typed = (file: string, { set, out, quick }: CompareFlags): string =>
  [
    'adatune compare',
    file,
    ...(quick ? ['--quick'] : []),
    ...set.map((each) => `--set ${JSON.stringify(each)}`),
    ...(out === undefined ? [] : [`--out ${out}`]),
  ].join(' ')

/** Compares as a file says; called again, it goes on where it was. Returns the exit code. */
async function compareCommand(file: string, flags: CompareFlags): Promise<number> {
  const comparison = readComparison(file, { quick: flags.quick ?? false, settings: flags.set })
  if (flags.dryRun) {
    const planned = await plan(comparison)
    process.stdout.write(await planText(planned, await speedOf(planned, flags.out ?? comparison.out)))
    return 0
  }
  const terminal = flags.quiet ? null : comparisonTerminal(process.stderr)
  const signals = watchSignals((text) => process.stderr.write(`${text}\n`))
  try {
    const { out, summary } = await compare(comparison, {
      out: flags.out,
      ...(terminal && { tell: terminal.tell }),
      stopRequested: signals.requested,
      command: typed(file, flags),
    })
    terminal?.close()
    if (summary === null) {
      process.stderr.write(`Stopped. The same command goes on from here: ${typed(file, flags)}\n`)
      return INTERRUPTED
    }
    if (flags.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    else process.stdout.write(`${summaryText(summary)}\nreport  ${out}/report.html\nnumbers ${out}/compare.json\n`)
    return 0
  } finally {
    terminal?.close()
    signals.release()
  }
}

export const defineCompare: Define = (command, exit) =>
  command
    .argument('<file>', 'YAML or JSON: what is compared')
    .option('--set <key=value>', 'change a setting, e.g. run.train.epochs=1; may be repeated', collect, [])
    .option('--quick', 'its short form, which the file gives')
    .option('--out <folder>', 'folder of the comparison')
    .option('--quiet', 'print errors and the result only')
    .option('--json', 'print the result as an object')
    .option('--dry-run', 'check the file and tell what would be run')
    .action(async (file: string, flags: CompareFlags) => exit(await compareCommand(file, flags)))
