import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { openChat } from '../generate/chat.ts'
import { givenOptions } from '../generate/options.ts'
import { parseSettings } from '../settings/document.ts'
import { withSettings } from '../settings/plain.ts'
import { collect, withModel } from './answering-options.ts'
import type { Define } from './commands.ts'
import { computingOf, printNotice } from './options.ts'

interface ChatFlags {
  readonly model: string
  readonly base: string
  readonly device: string
  readonly adapter?: string
  readonly system?: string
  readonly set: readonly string[]
  readonly quiet?: boolean
}

const HELP = '/reset begins anew, /exit ends; Ctrl-C stops an answer.'

/** Talks with the user, line by line, until the input ends or `/exit`. From a terminal faults are told and the talk goes on. */
async function chatCommand({ model, base, device, adapter, system, set, quiet }: ChatFlags): Promise<void> {
  const generation = parseSettings(givenOptions, withSettings({}, set), '--set')
  const chat = await openChat({
    model,
    ...computingOf({ base, device }),
    adapter: adapter ?? null,
    system: system ?? null,
    generation,
    ...(!quiet && { notice: printNotice }),
  })
  const { stdin, stdout } = process
  const terminal = stdin.isTTY === true && stdout.isTTY === true
  const lines = createInterface({ input: stdin, ...(terminal && { output: stdout }), terminal, prompt: '> ' })
  let speaking = false
  lines.on('SIGINT', () => {
    if (!speaking) lines.close()
    speaking = false
  })
  let heard = true
  const leave = (): void => {
    heard = speaking = false
    lines.close()
  }
  stdout.once('error', leave)
  const prompt = (): void => {
    if (terminal) lines.prompt()
  }
  if (terminal && !quiet) stdout.write(`${HELP}\n`)
  prompt()
  for await (const line of lines) {
    const text = line.trim()
    if (text === '/exit' || !heard) break
    if (text === '/reset') chat.reset()
    else if (text.startsWith('/')) process.stderr.write(`adatune: ${text} is no command: ${HELP}\n`)
    else if (text !== '') {
      speaking = true
      try {
        await chat.say(text, (piece) => {
          stdout.write(piece)
          return speaking
        })
        stdout.write('\n')
      } catch (error) {
        if (!terminal || !(error instanceof UserError)) throw error
        process.stderr.write(`adatune: ${error.message}\n`)
      }
      speaking = false
    }
    prompt()
  }
  stdout.off('error', leave)
  lines.close()
  await chat.close()
}

export const defineChat: Define = (command) =>
  withModel(command)
    .option('--adapter <folder>', 'saved adapter; without it the model as it is')
    .option('--system <text>', 'what the assistant is told before the conversation')
    .option('--set <key=value>', 'how to write, e.g. maxNewTokens=256, sample=true; may be repeated', collect, [])
    .option('--quiet', 'print errors only')
    .action(async (flags: ChatFlags) => chatCommand(flags))
