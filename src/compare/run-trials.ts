import { fork } from 'node:child_process'
import { packageProgram } from '../package.ts'
import type { RunEvent } from '../train/events.ts'
import { type Trial, trialFolder } from './trial.ts'
import type { StopRequest, TrialMessage, TrialTask } from './trial-task.ts'

/** What a comparison tells while it runs. */
export type ComparisonEvent =
  | { readonly kind: 'trials'; readonly total: number; readonly left: number; readonly purpose: 'rates' | 'scores' }
  | { readonly kind: 'begin' | 'ended' | 'stopped'; readonly trial: Trial }
  | { readonly kind: 'event'; readonly trial: Trial; readonly event: RunEvent }
  | { readonly kind: 'failed'; readonly trial: Trial; readonly message: string }

/** A trial with the memory that it is thought to take. */
export interface SizedTrial {
  readonly trial: Trial
  readonly resamples: number
  readonly bytes: number
}

export interface TrialsOptions {
  readonly out: string
  readonly workers: number
  readonly memoryBytes: number
  readonly tell: (event: ComparisonEvent) => void
  /** Asked now and then; where true, trials stop after their update and no other is begun. */
  readonly stopRequested: () => boolean
  /** What runs one; a process of its own by default. */
  readonly run?: TrialRunner
}

type Ended = Exclude<TrialMessage, { kind: 'event' }>
interface Watching {
  readonly told: (event: RunEvent) => void
  readonly stopRequested: () => boolean
}
export type TrialRunner = (task: TrialTask, watching: Watching) => Promise<Ended>

const program = packageProgram('compare/trial-process')
const WATCH_MS = 100

/** Trains and judges a trial in a process of its own; the last message is what became of it. */
const inProcess: TrialRunner = (task, { told, stopRequested }) =>
  new Promise((resolve) => {
    const child = fork(program, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let stderr = ''
    let last: Ended | null = null
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4000)))
    const watch = setInterval(() => {
      if (!stopRequested()) return
      clearInterval(watch)
      if (child.connected) child.send({ stop: true } satisfies StopRequest)
    }, WATCH_MS)
    child.on('message', (message: TrialMessage) => {
      if (message.kind === 'event') told(message.event)
      else last = message
    })
    const end = (why: string): void => {
      clearInterval(watch)
      resolve(last ?? { kind: 'failed', message: `${why}. ${stderr}`.trim() })
    }
    child.on('close', (code, signal) => end(`its process ended with ${signal ?? `code ${code}`}`))
    child.on('error', ({ message }) => end(`its process could not be started or told its task: ${message}`))
    child.send(task)
  })

/**
 * Runs trials side by side: as many as there are workers and memory for, one in any case, in the given order. One that fails keeps no
 * other from running.
 */
export async function runTrials(trials: readonly SizedTrial[], options: TrialsOptions): Promise<void> {
  const { out, workers, memoryBytes, tell, stopRequested, run = inProcess } = options
  const waiting = [...trials]
  const running = new Map<SizedTrial, Promise<void>>()
  const used = (): number => [...running.keys()].reduce((sum, { bytes }) => sum + bytes, 0)
  const begin = async (sized: SizedTrial): Promise<void> => {
    const { trial, resamples } = sized
    tell({ kind: 'begin', trial })
    const { run: config, inference, like } = trial
    const task = { folder: trialFolder(out, trial), run: config, trained: like && trialFolder(out, like), resamples, inference }
    const ended = await run(task, { told: (event) => tell({ kind: 'event', trial, event }), stopRequested })
    running.delete(sized)
    tell({ ...ended, trial })
  }
  for (;;) {
    const next = stopRequested() ? undefined : waiting[0]
    if (!next && running.size === 0) return
    if (next && (running.size === 0 || (running.size < workers && used() + next.bytes <= memoryBytes))) {
      waiting.shift()
      running.set(next, begin(next))
    } else await Promise.race(running.values())
  }
}
