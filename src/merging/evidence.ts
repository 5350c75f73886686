import { examplesIn } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { UserError } from '../errors.ts'
import { asked } from '../evaluate/dataset.ts'
import { type Forward, openForward } from '../evaluate/forward.ts'
import { methodFor } from '../evaluate/method-for.ts'
import { openReader, type ReaderOptions } from '../evaluate/reader.ts'
import { regrouped } from '../tasks/answered.ts'
import { isLowerBetter, metricIn } from '../tasks/task.ts'
import { adapterOf } from './combination.ts'
import { fisherInformation } from './fisher-information.ts'
import type { Blend, Evidence, Member } from './rule.ts'
import type { HeadChoice } from './whole-tensors.ts'

export interface EvidenceOptions extends ReaderOptions {
  /** Rows for all members, or for each of them. */
  readonly rows: readonly (readonly Row[])[]
  /** The metric of a score; null: the task's own. */
  readonly metric: string | null
  /** What becomes of heads, in what is scored as in what is made. */
  readonly head: HeadChoice
  readonly batchSize: number
  readonly seed: number
}

/** Answers rules from data. Sessions are opened when they are first asked for; `close` ends them. */
export function openEvidence(members: readonly Member[], options: EvidenceOptions): Evidence & { close(): Promise<void> } {
  const { rows, batchSize, seed } = options
  const first = members[0]!
  const { open } = first
  const metric = options.metric ?? open.task.primary
  if (!open.task.metricNames.includes(metric))
    throw new UserError(`--metric ${metric}: ${open.name} has ${open.task.metricNames.join(', ')}.`)
  const given = (k: number): readonly Row[] => {
    const found = rows.length === 1 ? rows[0] : rows[k]
    if (!found) throw new UserError(`This rule learns from data: give --data once, or once for each of the ${members.length} adapters.`)
    return found
  }
  let forward: Forward | null = null
  return {
    async score(blend: Blend) {
      const { state } = adapterOf(blend, members, options.head)
      const items = asked(open.task, openReader(first, options)(given(0), true))
      const method = methodFor(open.subject, open.outline, blend.options, null, blend.memory)
      forward ??= await openForward(open.subject, method, state, { batchSize })
      const logits = await forward.logits(examplesIn(items), state)
      const value = metricIn(open.task.metrics(regrouped(items, logits), open.labels), metric)
      return isLowerBetter(metric) ? -value : value
    },
    fisher(member) {
      const items = openReader(member, options)(given(members.indexOf(member)), false)
      return fisherInformation(member, examplesIn(items), { batchSize, seed })
    },
    async close() {
      await forward?.close()
    },
  }
}
