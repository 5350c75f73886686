import { join } from 'node:path'
import { examplesIn, type Item } from '../data/examples.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { openAnswers } from '../evaluate/answers.ts'
import { type Answered, regrouped } from '../tasks/answered.ts'
import { together } from '../tasks/distributions.ts'
import type { FinishedRun } from '../train/conclusion.ts'
import { runFolder } from './trial.ts'
import type { TrialTask } from './trial-task.ts'

/**
 * What a trained mixture answers through its routes, asked of the experts that its run has saved, which are those of its end.
 * @throws UserError for a run without such experts
 */
export async function routedAnswers(
  { prepared: { open } }: FinishedRun,
  items: readonly Item[],
  { folder, run, inference }: TrialTask,
): Promise<Answered[]> {
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
