// A process of its own for one trial: the program that `runTrials` starts.
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { RunEvent } from '../train/events.ts'
import { resume, type SeedOptions, train } from '../train/run.ts'
import { isRun } from '../train/run-folder.ts'
import { writeText } from '../weights/atomic-file.ts'
import { makeFolder } from '../weights/file-access.ts'
import { judge } from './judgement.ts'
import { runFolder } from './trial.ts'
import { JUDGEMENT, type StopRequest, type TrialMessage, type TrialTask } from './trial-task.ts'

const STEPS_MS = 100

const tell = (message: TrialMessage, sent = (): void => {}): void => void process.send!(message, sent)

/** Tells of every event, of updates ten times a second at most. */
function teller(): (event: RunEvent) => void {
  let told = Number.NEGATIVE_INFINITY
  return (event) => {
    const now = performance.now()
    if (event.event === 'step' && now - told < STEPS_MS) return
    if (event.event === 'step') told = now
    tell({ kind: 'event', event })
  }
}

/** Begins a run as a copy of one that is trained. */
function takeOver(trained: string, out: string): void {
  const part = `${out}.part`
  rmSync(part, { recursive: true, force: true })
  cpSync(runFolder(trained), part, { recursive: true })
  renameSync(part, out)
}

async function runTask(task: TrialTask, stopRequested: () => boolean): Promise<TrialMessage> {
  const { folder, run, trained } = task
  const out = runFolder(folder)
  makeFolder(folder)
  if (trained && !existsSync(out) && existsSync(join(trained, JUDGEMENT))) takeOver(trained, out)
  const options: SeedOptions = {
    out,
    sinks: [teller()],
    stopRequested,
    async afterwards(ended) {
      const judgement = await judge(ended, task)
      writeText(join(folder, JUDGEMENT), `${JSON.stringify(judgement)}\n`)
    },
  }
  const { finished } = await (isRun(out) ? resume(out, options) : train(run, options))
  return { kind: finished ? 'ended' : 'stopped' }
}

let stop = false
// A terminal sends Ctrl-C to all of its processes, as others do with SIGTERM.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    stop = true
  })
// Without that one nobody waits for the trial; its newest checkpoint is there to go on from.
const abandoned = (): never => process.exit(1)
process.on('disconnect', abandoned)
process.on('message', async (message: TrialTask | StopRequest) => {
  if ('stop' in message) {
    stop = true
    return
  }
  let last: TrialMessage
  try {
    last = await runTask(message, () => stop)
  } catch (error) {
    const known = error instanceof UserError
    last = { kind: 'failed', message: known ? error.message : String((error as Error).stack ?? error) }
  }
  tell(last, () => {
    process.off('disconnect', abandoned)
    process.disconnect()
  })
})
