import { comparisonTerminal } from '../compare/terminal.ts'
import { demo } from '../demo/demo.ts'
import type { Define } from './commands.ts'
import { INTERRUPTED, watchSignals } from './signals.ts'

interface DemoFlags {
  readonly model?: string
  readonly out: string
}

/** Fine-tunes the package's base model on mail by several methods. Returns the exit code. */
async function demoCommand({ model, out }: DemoFlags): Promise<number> {
  const terminal = comparisonTerminal(process.stderr)
  const notice = (text: string): void => void process.stderr.write(`${text}\n`)
  const signals = watchSignals(notice)
  try {
    const text = await demo({ model, out, tell: terminal.tell, notice, stopRequested: signals.requested })
    terminal.close()
    if (text === null) {
      notice('Stopped. Go on with the same command.')
      return INTERRUPTED
    }
    process.stdout.write(text)
    return 0
  } finally {
    terminal.close()
    signals.release()
  }
}

export const defineDemo: Define = (command, exit) =>
  command
    .option('--model <folder>', "a model in place of the package's own")
    .option('--out <folder>', 'where to write', 'adatune-demo')
    .action(async (flags: DemoFlags) => exit(await demoCommand(flags)))
