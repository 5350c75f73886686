import { readRun } from '../config/parse.ts'
import { UserError } from '../errors.ts'
import { closingTable } from '../track/closing-table.ts'
import { jsonSink } from '../track/json.ts'
import { terminalSink } from '../track/terminal.ts'
import { resume, train } from '../train/seeds.ts'

export interface TrainFlags {
  readonly set: readonly string[]
  readonly out?: string
  readonly resume?: string
  readonly quiet?: boolean
  readonly json?: boolean
}

const INTERRUPTED = 130

/** Asks for a stop at the first SIGINT or SIGTERM; the second ends the process at once. */
function watchSignals(notice: (text: string) => void): { requested: () => boolean; release: () => void } {
  let requested = false
  const onSignal = (): void => {
    if (requested) process.exit(INTERRUPTED)
    requested = true
    notice('Stopping after this update; once more to stop at once.')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    requested: () => requested,
    release: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}

/** Trains from a run file, or goes on with a run. Returns the exit code. */
export async function trainCommand(file: string | undefined, flags: TrainFlags): Promise<number> {
  if ((file === undefined) === (flags.resume === undefined)) throw new UserError('Give a run file, or --resume with the folder of a run.')
  if (flags.resume !== undefined && (flags.set.length > 0 || flags.out !== undefined)) {
    throw new UserError('A resumed run keeps its settings: --resume takes neither --set nor --out.')
  }
  const terminal = flags.quiet || flags.json ? null : terminalSink(process.stderr)
  const notice = (text: string): void => (flags.quiet ? undefined : terminal ? terminal.note(text) : void process.stderr.write(`${text}\n`))
  const signals = watchSignals(notice)
  const sinks = [...(terminal ? [terminal] : []), ...(flags.json ? [jsonSink(process.stdout)] : [])]
  const options = { sinks, stopRequested: signals.requested, notice }
  try {
    const summary =
      file === undefined ? await resume(flags.resume!, options) : await train(readRun(file, flags.set), { ...options, out: flags.out })
    terminal?.close()
    if (!summary.finished) {
      notice(`Stopped. Go on with: adatune train --resume ${summary.out}`)
      return INTERRUPTED
    }
    if (!flags.quiet && !flags.json) process.stdout.write(closingTable(summary))
    return 0
  } finally {
    terminal?.close()
    signals.release()
  }
}
