// A process of its own that holds models open: the program that the measurement of many tasks starts.
import { existsSync, readFileSync } from 'node:fs'
import { UserError } from '../../errors.ts'
import { openPredictor } from '../../evaluate/predictor.ts'
import { openAdapters } from '../../merging/open-adapters.ts'
import { median } from '../../metrics/moments.ts'
import { timed } from './timed.ts'

/** What a process opens: adapters of one model, or copies of it. */
export interface Holding {
  readonly model: string
  readonly adapters: readonly string[]
  readonly copies: readonly string[]
}

/** What it then takes. */
export interface Held {
  readonly memoryBytes: number
  /** Until one more task can be answered, its first answer included. */
  readonly openMs: number
  /** Until a task is answered that was answered just before, all of them open. */
  readonly answerMs: number
  /** What it takes longer where the one before was another. */
  readonly changeMs: number
}

const TEXT = ['He left the house early.', 'He went away.'] as const

/** A task that can be opened and asked. */
type Opened = () => Promise<unknown>

const ROUNDS = 20

const SHARES = '/proc/self/smaps_rollup'

/** The process's share of memory where the system tells it, else what is resident. */
function memoryBytes(): number {
  const share = existsSync(SHARES) ? /^Pss:\s+(\d+) kB/m.exec(readFileSync(SHARES, 'utf8')) : null
  return share ? Number(share[1]) * 1024 : process.memoryUsage().rss
}

async function measured(open: readonly (() => Promise<Opened>)[]): Promise<Held> {
  const asks: Opened[] = []
  const [opening, staying, changing]: [number[], number[], number[]] = [[], [], []]
  for (const each of open)
    opening.push(
      await timed(async () => {
        const ask = await each()
        asks.push(ask)
        await ask()
      }),
    )
  for (let round = 0; round < ROUNDS; round++) {
    for (const ask of asks) {
      const changed = await timed(ask)
      staying.push(await timed(ask))
      changing.push(changed - staying.at(-1)!)
    }
  }
  return { memoryBytes: memoryBytes(), openMs: median(opening), answerMs: median(staying), changeMs: median(changing) }
}

async function hold({ model, adapters: folders, copies }: Holding): Promise<Held> {
  if (copies.length > 0)
    return measured(
      copies.map((copy) => async () => {
        const one = await openPredictor({ model: copy, task: 'sequence-classification' })
        return () => one.predict([TEXT])
      }),
    )
  const adapters = await openAdapters({ model })
  return measured(
    folders.map((folder) => async () => {
      adapters.load(folder, folder)
      return () => {
        adapters.use(folder)
        return adapters.predict([TEXT])
      }
    }),
  )
}

process.on('message', async (holding: Holding) => {
  let answer: Held | { failed: string }
  try {
    answer = await hold(holding)
  } catch (error) {
    answer = { failed: error instanceof UserError ? error.message : String((error as Error).stack ?? error) }
  }
  process.send!(answer, () => process.disconnect())
})
