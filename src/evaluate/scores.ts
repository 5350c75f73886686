import { examplesIn, type Item } from '../data/examples.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { regrouped } from '../tasks/answered.ts'
import { withForward } from './forward.ts'
import type { OpenTask } from './open-task.ts'

/** Metrics of the task on labelled items for each of these states of a method, which have the same shapes. */
export async function scoresOf(
  { subject, task, labels }: OpenTask,
  method: Method,
  states: readonly ReadonlyMap<string, Tensor>[],
  items: readonly Item[],
  batchSize: number,
): Promise<Record<string, number>[]> {
  const examples = examplesIn(items)
  return withForward(subject, method, states[0]!, { batchSize }, async (forward) => {
    const scores: Record<string, number>[] = []
    for (const state of states) scores.push(task.metrics(regrouped(items, await forward.logits(examples, state)), labels))
    return scores
  })
}
