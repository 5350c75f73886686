import { claimFolder, tryClaim } from '../claims/claim.ts'
import { claimNames, claimsTold, listText, openClaim } from '../claims/claim-list.ts'
import { claimsPlan, claimsPlanText } from '../claims/claims-plan.ts'
import type { ClaimRecord } from '../claims/record.ts'
import { table } from '../track/table.ts'
import { collect } from './answering-options.ts'
import type { Define } from './commands.ts'
import { runComparison, sameCommand, type TypedFlags, typed } from './comparison-run.ts'

interface ClaimsFlags extends TypedFlags {
  readonly plan?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
}

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
    const planned = await claimsPlan((name === undefined ? claimNames() : [name]).map((each) => openClaim(each, reading)))
    process.stdout.write(flags.json ? `${JSON.stringify(planned)}\n` : claimsPlanText(planned))
    return 0
  }
  if (name === undefined) {
    const claims = claimsTold()
    process.stdout.write(flags.json ? `${JSON.stringify(claims)}\n` : listText(claims))
    return 0
  }
  const claim = openClaim(name, reading)
  const out = flags.out ?? claimFolder(claim)
  const command = typed('claims', name, flags)
  return runComparison({
    quiet: flags.quiet,
    goOn: sameCommand(command),
    work: (watching) => tryClaim(claim, { ...watching, out, command }),
    text: (record) => (flags.json ? `${JSON.stringify(record)}\n` : recordText(record)),
  })
}

export const defineClaims: Define = (command, exit) =>
  command
    .argument('[claim]', 'its name, or a file of your own; all are listed without')
    .option('--quick', 'its short form, of minutes to an hour')
    .option('--model <folder or id>', "a model in place of the claim's own, such as the paper's")
    .option('--set <key=value>', 'change a setting of its comparison, e.g. run.train.epochs=1; may be repeated', collect, [])
    .option('--out <folder>', 'where to work; runs/claims and its name by default')
    .option('--plan', 'tell trials, updates, operations and hours, of all claims or of one; with --json as an object')
    .option('--quiet', 'print errors and the result only')
    .option('--json', 'print the result as an object')
    .action(async (name: string | undefined, flags: ClaimsFlags) => exit(await claimsCommand(name, flags)))
