import { claimFolder, tryClaim } from '../claims/claim.ts'
import { claimNames, listText, openClaim } from '../claims/claim-list.ts'
import { claimsPlan } from '../claims/claims-plan.ts'
import type { ClaimRecord } from '../claims/record.ts'
import { comparisonTerminal } from '../compare/terminal.ts'
import { table } from '../track/table.ts'
import { collect } from './answering-options.ts'
import type { Define } from './commands.ts'
import { INTERRUPTED, watchSignals } from './signals.ts'

interface ClaimsFlags {
  readonly set: readonly string[]
  readonly quick?: boolean
  readonly model?: string
  readonly out?: string
  readonly plan?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
}

const typed = (name: string, { quick, model, set, out }: ClaimsFlags): string =>
  [
    `adatune claims ${name}`,
    ...(quick ? ['--quick'] : []),
    ...(model === undefined ? [] : [`--model ${model}`]),
    ...set.map((each) => `--set ${JSON.stringify(each)}`),
    ...(out === undefined ? [] : [`--out ${out}`]),
  ].join(' ')

/** What was found, statement by statement, and the sentence that it ends in. */
function recordText({ tables, verdict, footing }: ClaimRecord): string {
  const findings = verdict.findings.flatMap(({ says, bound, tried }) => [
    [says, '', '', `must be ${bound}`],
    ...tried.map(({ name, value, interval, outcome }) => [`  ${name}`, value, interval, outcome]),
  ])
  const left = { header: false, align: ['left', 'right', 'right', 'left'] } as const
  return `\n${tables.map((rows) => table(rows)).join('\n')}\n${footing}\n\n${table(findings, left)}\n${verdict.sentence}\n`
}

/** Lists claims, tells what they would take, or tries one. Returns the exit code. */
async function claimsCommand(name: string | undefined, flags: ClaimsFlags): Promise<number> {
  const reading = { quick: flags.quick ?? false, settings: flags.set, model: flags.model }
  if (flags.plan) {
    process.stdout.write(await claimsPlan((name === undefined ? claimNames() : [name]).map((each) => openClaim(each, reading))))
    return 0
  }
  if (name === undefined) {
    process.stdout.write(listText())
    return 0
  }
  const claim = openClaim(name, reading)
  const out = flags.out ?? claimFolder(claim)
  const terminal = flags.quiet ? null : comparisonTerminal(process.stderr)
  const signals = watchSignals((text) => process.stderr.write(`${text}\n`))
  const command = typed(name, flags)
  try {
    const record = await tryClaim(claim, { out, ...(terminal && { tell: terminal.tell }), stopRequested: signals.requested, command })
    terminal?.close()
    if (record === null) {
      process.stderr.write(`Stopped. The same command goes on from here: ${command}\n`)
      return INTERRUPTED
    }
    process.stdout.write(flags.json ? `${JSON.stringify(record)}\n` : recordText(record))
    return 0
  } finally {
    terminal?.close()
    signals.release()
  }
}

export const defineClaims: Define = (command, exit) =>
  command
    .argument('[claim]', 'its name, or a file of your own; all are listed without')
    .option('--quick', 'its short form, of minutes to an hour')
    .option('--model <folder or id>', "a model in place of the claim's own, such as the paper's")
    .option('--set <key=value>', 'change a setting of its comparison, e.g. run.train.epochs=1; may be repeated', collect, [])
    .option('--out <folder>', 'where to work; runs/claims and its name by default')
    .option('--plan', 'tell trials, updates, operations and hours, of all claims or of one')
    .option('--quiet', 'print errors and the result only')
    .option('--json', 'print the result as an object')
    .action(async (name: string | undefined, flags: ClaimsFlags) => exit(await claimsCommand(name, flags)))
