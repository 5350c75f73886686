import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { UserError } from '../errors.ts'
import { readFields } from '../json-file.ts'
import { defaultRate } from '../methods/index.ts'
import { prepare } from '../train/prepare.ts'
import { openTraining } from '../train/training.ts'
import type { Planned } from './planned.ts'
import { runFolder, trialFolder } from './trial.ts'

/** How fast trials train here. */
export interface Speed {
  readonly flopsPerSecond: number
  /** Where that is known from, in words. */
  readonly from: string
}

/** The speed of the trials that ended in a folder, evaluations included; null where none did. */
function ofTrials(out: string): Speed | null {
  const root = join(out, 'trials')
  const all = (existsSync(root) ? readdirSync(root) : []).flatMap((id) => {
    const file = join(runFolder(trialFolder(out, { id })), 'metrics.json')
    return existsSync(file) ? [readFields(file) as { trainFlops: number; seconds: number }] : []
  })
  if (all.length === 0) return null
  const [flops, seconds] = (['trainFlops', 'seconds'] as const).map((name) => all.reduce((sum, each) => sum + each[name], 0))
  return { flopsPerSecond: flops! / seconds!, from: `${all.length} finished trials, evaluations included` }
}

const MEASURED_MS = 3000
const MEASURED_STEPS = 20

/** The speed of updates that are made to measure it, after one that is not counted. Nothing is written. */
async function ofUpdates(run: RunConfig, name: string): Promise<Speed> {
  const prepared = await prepare(run)
  const rate = run.train.learningRate ?? defaultRate(prepared.options)
  const { train, plan, state, memory } = prepared
  const training = await openTraining(prepared, { ...run, train: { ...train, learningRate: rate } }, state, memory)
  try {
    // The first update takes longer, but may be the only one.
    const first = Math.min(1, plan.totalSteps - 1)
    if (first > 0) await training.advance(0)
    const began = performance.now()
    let [flops, steps, spent] = [0, 0, 0]
    while (spent < MEASURED_MS && steps < Math.min(MEASURED_STEPS, plan.totalSteps - first)) {
      flops += (await training.advance(first + steps)).result.flops
      steps++
      spent = performance.now() - began
    }
    return { flopsPerSecond: (1000 * flops) / spent, from: `${steps} updates of ${name}; evaluations come on top` }
  } finally {
    await training.close()
  }
}

/** The speed of a comparison's trials: of those that ended, else of some updates of its first arm; why it is not known where it is not. */
export async function speedOf({ arms, seeds }: Planned, out: string | null): Promise<Speed | string> {
  const known = out === null ? null : ofTrials(out)
  if (known) return known
  const arm = arms.find(({ takes }) => takes.length === 0)
  try {
    return await ofUpdates({ ...arm!.run, train: { ...arm!.run.train, seed: seeds[0]! } }, arm!.name)
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}
