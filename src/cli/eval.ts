import { readRows } from '../data/read-rows.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { dataset } from '../evaluate/dataset.ts'
import { openForward } from '../evaluate/forward.ts'
import { findModel } from '../evaluate/open-task.ts'
import { type AdaptedFlags, type ColumnFlags, columnFlags, labelsFlag, positiveFlag, taskFlag } from './options.ts'

export interface EvalFlags extends AdaptedFlags, ColumnFlags {
  readonly data: string
  readonly maxLength: string
  readonly batchSize: string
}

/** Metrics of a model with an adapter on labelled rows. */
export async function evaluateCommand(flags: EvalFlags): Promise<{ rows: number; metrics: Record<string, number> }> {
  const model = await findModel(flags.model)
  const { open, method, state } = openAdapted(model, {
    adapter: flags.adapter ?? null,
    task: taskFlag(flags.task),
    labels: labelsFlag(flags.labels),
  })
  const maxLength = positiveFlag('max-length', flags.maxLength)
  const rows = await readRows(flags.data)
  const examples = dataset(model, open.task, open.labels, rows, { columns: columnFlags(flags), maxLength, labelled: true })
  const forward = await openForward(open.subject, method, state, { batchSize: positiveFlag('batch-size', flags.batchSize) })
  const metrics = open.task.metrics(await forward.logits(examples, state), examples, open.labels)
  await forward.close()
  return { rows: examples.length, metrics }
}
