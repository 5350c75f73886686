import { join } from 'node:path'
import { examplesIn, type Item } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { openAnswers } from '../evaluate/answers.ts'
import { type Answered, regrouped } from '../tasks/answered.ts'
import { together } from '../tasks/distributions.ts'
import type { FinishedRun } from '../train/conclusion.ts'
import { runFolder } from './trial.ts'
import type { TrialTask } from './trial-task.ts'

/** The way of answering that every run has: by the weights that are left at its end. */
export const MERGED = 'merged'

/**
 * What a trained mixture answers through its routes, asked of the experts that its run has saved.
 * @throws UserError for a run that keeps an earlier evaluation than its last, and for one without such experts
 */
export async function routedAnswers(
  { prepared: { open }, progress }: FinishedRun,
  items: readonly Item[],
  { folder, run, inference }: TrialTask,
): Promise<Answered[]> {
  if ((progress.best?.step ?? progress.step) !== progress.step)
    throw new UserError(`inference: routes are asked of what a run keeps, which is to be its end: set train.evalEvery to end.`)
  const adapter = join(runFolder(folder), 'adapter')
  const adapted = openAdapted(open.subject.model, { adapter, task: null, labels: null }, () => {})
  const { seed, evalBatchSize: batchSize } = run.train
  const answers = await openAnswers(adapted, { adapter, inference, seed, batchSize, merges: false })
  try {
    const all = await answers.members(examplesIn(items), false)
    const logits = all[0]!.map((_, i) =>
      together(
        all.map((each) => each[i]!),
        open.task.distributions,
        open.labels.length,
      ),
    )
    return regrouped(items, logits)
  } finally {
    await answers.close()
  }
}
