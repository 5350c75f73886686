import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { outputsOf } from '../evaluate/assembly.ts'
import { methodFor } from '../evaluate/method-for.ts'
import { scoresOf } from '../evaluate/scores.ts'
import { EXPERTS_FILE, nameOnHub, saveAdapter, saveExperts } from '../formats/index.ts'
import { plainMethod } from '../methods/index.ts'
import { type Deployed, deployed } from '../nn/method.ts'
import { promptOf } from '../tasks/task-file.ts'
import { writeText } from '../weights/atomic-file.ts'
import { folderBytes } from '../weights/folder-bytes.ts'
import { averagedParameters } from './average.ts'
import { bestFolder, readCheckpoint } from './checkpoint.ts'
import type { Progress } from './loop.ts'
import type { Prepared } from './prepare.ts'
import type { Training } from './training.ts'
import { scoreWritten } from './written-texts.ts'

/** What a run keeps, without experts that are merged. */
export interface Kept extends Deployed {
  readonly adapterBytes: number
  /** What that was merged from, each expert in all its places; empty but for mixtures. */
  readonly members: readonly Deployed[]
}

/** Saves the adapter of a finished run: its best evaluation where there is one, else the last step. */
export function saveResult(
  out: string,
  config: RunConfig,
  { open, options, plan, reading }: Prepared,
  training: Training,
  { best }: Progress,
): Kept {
  const { subject, outline, labels, name, task } = open
  const kept = best ? readCheckpoint(bestFolder(join(out, 'checkpoints'), best.step)) : null
  const memory = kept ? (kept.progress as { memory: unknown }).memory : training.memory
  const state = averagedParameters(kept ? kept.state : training.state)
  const method = methodFor(subject, outline, options, plan.totalSteps, memory)
  const result = deployed(method, state)
  if (method.experts !== undefined) saveExperts(join(out, EXPERTS_FILE), { options, memory, state }, { model: subject.model, outline })
  const folder = join(out, 'adapter')
  const card = {
    task: name,
    labels: labels.length > 0 ? labels : null,
    outputs: outputsOf(subject),
    baseModel: nameOnHub(config.model),
    adapterName: null,
    totalSteps: plan.totalSteps,
    reading: best ? (task.learn?.(best.metrics, reading) ?? reading) : reading,
    prompt: promptOf(open.description) ?? undefined,
  }
  saveAdapter(folder, { ...plainMethod({ options, memory }), state: result.state, card }, { model: subject.model, outline })
  const { count = 0, route } = method.experts ?? {}
  const members = Array.from({ length: count }, (_, k) => route!(state, () => k))
  return { adapterBytes: folderBytes(folder), members, ...result }
}

/** Writes `metrics.json`: the kept evaluation's metrics on top, then what the run took. */
export function writeMetrics(out: string, metrics: Readonly<Record<string, unknown>>): void {
  writeText(join(out, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`)
}

/** Metrics of what was kept on the test rows; null where the run has none. */
export async function scoreTest(config: RunConfig, { open, test, texts }: Prepared, kept: Kept): Promise<Record<string, number> | null> {
  if (test === null) return null
  const [metrics] = await scoresOf(open, kept.method, [kept.state], test, config.train.evalBatchSize)
  return { ...metrics!, ...(await scoreWritten(config, open, kept, texts.test)) }
}
