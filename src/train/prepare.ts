import type { RunConfig } from '../config/run-config.ts'
import { findModel } from '../evaluate/find-model.ts'
import { methodFor } from '../evaluate/method-for.ts'
import { missing, type State, trainedBesides } from '../evaluate/state.ts'
import { locate } from '../models/open.ts'
import { isHead } from '../nn/outline.ts'
import { readDataSets } from './data-sets.ts'
import { type MemoryOf, totalBytes } from './forecast/memory-need.ts'
import { memoryWarning } from './forecast/memory-room.ts'
import { settled } from './forecast/settled.ts'
import { type OpenRun, openRun } from './open-run.ts'
import { countUpdates, type Plan, planRun } from './plan.ts'
import { type RunExamples, runExamples } from './run-examples.ts'
import { startingPoint } from './starting-point.ts'

/** Everything a run starts from. */
export interface Prepared extends OpenRun, RunExamples {
  readonly memory: unknown
  readonly state: State
  readonly plan: Plan
  /** The run's settings, with how updates are made within the limit of memory. */
  readonly train: RunConfig['train']
  /** What the process is foretold to need at its peak. */
  readonly memoryBytes: number
  readonly warnings: readonly string[]
}

/** Opens model and data and checks them against each other; nothing is written. */
export async function prepare(config: RunConfig, notice: (text: string) => void = () => {}): Promise<Prepared> {
  const model = await findModel(config.model, notice, { base: config.base, device: config.train.device })
  const files = await readDataSets(config)
  const opened = openRun(config, model, files.train)
  const { open, options } = opened
  const read = runExamples(config, opened, files)
  const { subject, outline } = open
  const run: MemoryOf = {
    ...read,
    open,
    method: methodFor(subject, outline, options, countUpdates(read.examples.length, config.train).totalSteps),
    besides: trainedBesides(subject, outline, config.train.trainAlso),
    evaluates: read.evaluation !== null,
    count: read.examples.length,
    length: 0,
    rows: 1,
  }
  const { train, need, chosen } = settled(run, config.train)
  for (const text of chosen) notice(text)
  const memoryBytes = totalBytes(need)
  const crowded = memoryWarning(memoryBytes)
  const plan = planRun(read.examples, train, open.task.drawn)
  const { warnings, ...started } = startingPoint(config, open, options, plan.totalSteps)
  for (const { name, shape } of outline.base.values()) if (model.find(name)) locate(model, name, shape)
  const fresh = missing(subject, outline).filter((name) => !isHead(outline, name))
  return {
    ...opened,
    ...started,
    ...read,
    plan,
    train,
    memoryBytes,
    warnings: [
      ...(crowded === null ? [] : [crowded]),
      ...warnings,
      ...(fresh.length > 0 ? [`The model has no ${fresh.join(', ')}: made anew, trained and saved with the adapter.`] : []),
    ],
  }
}
