import type { ComparisonEvent } from '../compare/run-trials.ts'
import { comparisonTerminal } from '../compare/terminal.ts'
import { quoted } from '../quoted.ts'
import { INTERRUPTED, watchSignals } from './signals.ts'

/** What a comparison at work tells, and asks. */
interface Watching {
  readonly tell?: (event: ComparisonEvent) => void
  readonly stopRequested: () => boolean
}

interface Run<Result> {
  readonly quiet?: boolean | undefined
  /** Null where it was stopped. */
  readonly work: (watching: Watching) => Promise<Result | null>
  readonly text: (result: Result) => string
  /** How one goes on with what was stopped. */
  readonly goOn: string
}

/** Runs a comparison with its progress on stderr, until it ends or Ctrl-C stops it. Returns the exit code. */
export async function runComparison<Result>({ quiet = false, work, text, goOn }: Run<Result>): Promise<number> {
  const terminal = quiet ? null : comparisonTerminal(process.stderr)
  const note = (line: string): void => void process.stderr.write(`${line}\n`)
  const signals = watchSignals(note)
  try {
    const result = await work({ ...(terminal && { tell: terminal.tell }), stopRequested: signals.requested })
    terminal?.close()
    if (result === null) {
      note(`Stopped. ${goOn}`)
      return INTERRUPTED
    }
    process.stdout.write(text(result))
    return 0
  } finally {
    terminal?.close()
    signals.release()
  }
}

export interface TypedFlags {
  readonly quick?: boolean
  readonly model?: string
  readonly set: readonly string[]
  readonly out?: string
}

/** What was typed of a command about a file or claim, for who wants to repeat it. */
export const typed = (command: string, about: string, { quick, model, set, out }: TypedFlags): string =>
  [
    ...['adatune', command, about],
    ...(quick ? ['--quick'] : []),
    ...(model === undefined ? [] : ['--model', model]),
    ...set.flatMap((each) => ['--set', each]),
    ...(out === undefined ? [] : ['--out', out]),
  ]
    .map(quoted)
    .join(' ')

export const sameCommand = (command: string): string => `The same command goes on from here: ${command}`
