import { readRun } from '../config/parse.ts'
import { publishedResults } from '../config/published-runs.ts'
import type { RunConfig } from '../config/run-config.ts'
import { UserError } from '../errors.ts'
import { quoted } from '../quoted.ts'
import { onTest } from '../tasks/metric-name.ts'
import { closingTable } from '../track/closing-table.ts'
import { jsonSink } from '../track/json.ts'
import { metricTextOf } from '../track/metric-text.ts'
import { publishedTable } from '../track/published-table.ts'
import { configOf } from '../train/run-folder.ts'
import type { RunSummary } from '../train/run-summary.ts'
import { resume, train } from '../train/seeds.ts'
import { collect } from './answering-options.ts'
import type { Define } from './commands.ts'
import { dryRunText } from './dry-run.ts'
import { whileRead } from './readers.ts'
import { INTERRUPTED, watchSignals } from './signals.ts'

interface TrainFlags {
  readonly set: readonly string[]
  readonly out?: string
  readonly resume?: string
  readonly quiet?: boolean
  readonly json?: boolean
  readonly dryRun?: boolean
}

/** What papers say of runs with these settings, beside what this one came to. */
function publishedBeside({ seeds, kept, test }: RunSummary, config: RunConfig): string {
  const tested = Object.entries(test ?? {}).map(([name, value]) => [onTest(name), value])
  const measured = seeds?.mean ?? { ...kept?.metrics, ...Object.fromEntries(tested) }
  const own = publishedResults(config).filter((each) => each.own)
  return config.published && own.length > 0 ? `\n${publishedTable(config.published, own, measured, metricTextOf(config.task))}` : ''
}

/** What a finished run came to. */
function closingText(summary: RunSummary): string {
  const config = configOf(summary.out)
  return closingTable(summary, metricTextOf(config.task)) + publishedBeside(summary, config)
}

/** Trains from a run file, or goes on with a run. Returns the exit code. */
async function trainCommand(file: string | undefined, flags: TrainFlags): Promise<number> {
  if ((file === undefined) === (flags.resume === undefined)) throw new UserError('Give a run file, or --resume with the folder of a run.')
  if (flags.resume !== undefined && (flags.set.length > 0 || flags.out !== undefined)) {
    throw new UserError('A resumed run keeps its settings: --resume takes neither --set nor --out.')
  }
  if (flags.dryRun) {
    if (file === undefined) throw new UserError('--dry-run tells what the run of a run file would be; it takes no --resume.')
    process.stdout.write(await dryRunText(readRun(file, flags.set), flags.json ?? false))
    return 0
  }
  const terminal = flags.quiet || flags.json ? null : (await import('../track/terminal.ts')).terminalSink(process.stderr)
  const notice = (text: string): void => (flags.quiet ? undefined : terminal ? terminal.note(text) : void process.stderr.write(`${text}\n`))
  const signals = watchSignals(notice)
  const sinks = [...(terminal ? [terminal] : []), ...(flags.json ? [jsonSink(process.stdout)] : [])]
  const options = { sinks, stopRequested: signals.requested, notice, evaluating: terminal?.evaluating }
  try {
    const unread = (): void => notice('Nobody reads stdout any more; the run goes on, and its record is run.jsonl in its folder.')
    const summary = await whileRead(unread, async () =>
      file === undefined ? resume(flags.resume!, options) : train(readRun(file, flags.set), { ...options, out: flags.out }),
    )
    terminal?.close()
    if (!summary.finished) {
      notice(`Stopped. Go on with: adatune train --resume ${quoted(summary.out)}`)
      return INTERRUPTED
    }
    if (!flags.quiet && !flags.json) process.stdout.write(closingText(summary))
    return 0
  } finally {
    terminal?.close()
    signals.release()
  }
}

export const defineTrain: Define = (command, exit) =>
  command
    .argument('[run-file]', 'YAML or JSON')
    .option('--set <key=value>', 'change a setting, e.g. method.r=16; may be repeated', collect, [])
    .option('--out <folder>', 'folder of the run')
    .option('--resume <folder>', 'go on with the run in this folder')
    .option('--quiet', 'print errors only')
    .option('--json', 'print every event as a line of JSON')
    .option('--dry-run', 'check the run file and tell what the run would take, without weights; with --json as an object')
    .action(async (file: string | undefined, flags: TrainFlags) => exit(await trainCommand(file, flags)))
