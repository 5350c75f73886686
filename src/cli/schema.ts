import { runJsonSchema } from '../config/parse.ts'
import type { Define } from './commands.ts'

export const defineSchema: Define = (command) =>
  command.action(() => void process.stdout.write(`${JSON.stringify(runJsonSchema(), null, 2)}\n`))
