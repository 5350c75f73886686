import { demo } from '../demo/demo.ts'
import type { Define } from './commands.ts'
import { runComparison } from './comparison-run.ts'

interface DemoFlags {
  readonly model?: string
  readonly out: string
}

/** Fine-tunes the package's base model on mail by several methods. Returns the exit code. */
const demoCommand = ({ model, out }: DemoFlags): Promise<number> =>
  runComparison({
    goOn: 'Go on with the same command.',
    work: (watching) => demo({ ...watching, model, out, notice: (text) => void process.stderr.write(`${text}\n`) }),
    text: (text) => text,
  })

export const defineDemo: Define = (command, exit) =>
  command
    .option('--model <folder>', "a model in place of the package's own")
    .option('--out <folder>', 'where to write', 'adatune-demo')
    .action(async (flags: DemoFlags) => exit(await demoCommand(flags)))
