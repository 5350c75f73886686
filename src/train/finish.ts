import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { methodFor } from '../evaluate/weight-counts.ts'
import { hubName, saveAdapter, saveExperts } from '../formats/index.ts'
import { writeText } from '../formats/json-file.ts'
import { plainMethod } from '../methods/index.ts'
import { deployed } from '../nn/method.ts'
import { averagedParameters } from './average.ts'
import { bestFolder, readCheckpoint } from './checkpoint.ts'
import type { Progress } from './loop.ts'
import type { Prepared } from './prepare.ts'
import type { Training } from './training.ts'

const folderBytes = (folder: string): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

/** Saves the adapter of a finished run: its best evaluation where there is one, else the last step. Returns the folder's bytes. */
export function saveResult(
  out: string,
  config: RunConfig,
  { open, options, plan }: Prepared,
  training: Training,
  { best }: Progress,
): number {
  const { subject, outline, labels, name: task } = open
  const kept = best ? readCheckpoint(bestFolder(join(out, 'checkpoints'), best.step)) : null
  const memory = kept ? (kept.progress as { memory: unknown }).memory : training.memory
  const state = averagedParameters(kept ? kept.state : training.state)
  const method = methodFor(subject, outline, options, plan.totalSteps, memory)
  const result = deployed(method, state)
  if (method.experts !== undefined) saveExperts(join(out, 'experts.safetensors'), state, { model: subject.model, outline })
  const folder = join(out, 'adapter')
  const card = {
    task,
    labels: labels.length > 0 ? labels : null,
    outputs: subject.head.outputs(labels.length) || null,
    // A folder's path says nothing on another machine.
    baseModel: existsSync(config.model) ? null : hubName(config.model),
    adapterName: null,
    totalSteps: plan.totalSteps,
    reading: { maxLength: config.data.maxLength, columns: config.data.columns },
  }
  saveAdapter(folder, { ...plainMethod({ options, memory }), state: result.state, card }, { model: subject.model, outline })
  return folderBytes(folder)
}

/** Writes `metrics.json`: the kept evaluation's metrics on top, then what the run took. */
export function writeMetrics(out: string, metrics: Readonly<Record<string, unknown>>): void {
  writeText(join(out, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`)
}
