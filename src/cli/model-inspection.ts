import { outputsOf } from '../evaluate/assembly.ts'
import { forwardFlopsPerToken, moduleGroups } from '../evaluate/inspection.ts'
import type { OpenTask } from '../evaluate/open-task.ts'
import { weightCounts } from '../evaluate/weight-counts.ts'
import type { TaskName } from '../heads/index.ts'
import { untouched } from '../methods/in-place.ts'

/** What is known of a model and its head by its config alone. */
export interface ModelInspection {
  readonly modelType: string
  readonly layers: number
  readonly hidden: number
  readonly vocabularySize: number
  readonly maxPositions: number
  readonly task: TaskName
  readonly outputs: number
  readonly weights: { readonly base: number; readonly head: number }
  readonly length: number
  readonly forwardFlopsPerToken: number
  /** The linear maps that a method may target. */
  readonly linear: readonly {
    readonly role: string | null
    readonly pattern: string
    readonly count: number
    readonly in: number | null
    readonly out: number | null
  }[]
}

/** Reads off the outline. */
export function inspectModel({ name: task, subject, outline }: OpenTask, length: number): ModelInspection {
  const { modelType, wiring } = subject.model
  const { layers, hidden, vocabularySize, maxPositions } = wiring
  const { base, head } = weightCounts(outline, untouched)
  const linear = moduleGroups(
    outline.sites.filter((site) => site.kind === 'linear' && site.role !== 'head'),
    untouched,
  )
  return {
    ...{ modelType, layers, hidden, vocabularySize, maxPositions, task, length },
    outputs: outputsOf(subject),
    weights: { base, head },
    forwardFlopsPerToken: forwardFlopsPerToken(subject, untouched, false, 1, length),
    linear: linear.map(({ role, pattern, count, in: inner, out }) => ({ role, pattern, count, in: inner, out })),
  }
}
