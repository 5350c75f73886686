import type { Example } from '../../src/data/examples.ts'
import { arrangement } from '../../src/evaluate/arrangement.ts'
import type { Subject } from '../../src/evaluate/assembly.ts'
import { streamFeeds } from '../../src/evaluate/stream-feeds.ts'
import { consistencyWeight } from '../../src/nn/consistency.ts'
import type { Feeds } from '../../src/runtime/session.ts'
import { dropoutFeeds } from '../../src/train/dropout-feeds.ts'
import type { StepGraph, StepGraphOptions } from '../../src/train/step-graph.ts'

const rate = 0.01

/** The feeds of a first update at the learning rate `rate` with one micro-batch; what the state lacks is fed as zeros. */
export function stepFeeds(
  subject: Subject,
  { masks, state: shapes }: StepGraph,
  { method, objective, adam }: StepGraphOptions,
  state: Readonly<Pick<ReadonlyMap<string, Feeds[string]>, 'get'>>,
  examples: readonly Example[],
  moment = { seed: 1, step: 0, microBatch: 0 },
): Feeds {
  const arranged = arrangement(subject, method)
  const rows = arranged.rows(examples)
  const batch = arranged.batch(rows, objective.passes)
  const targets = subject.head.targets(rows, batch, objective)
  const number = (value: number): Feeds[string] => ({ data: Float32Array.of(value), shape: [] })
  const zeros = (shape: readonly number[]): Feeds[string] => ({ data: new Float32Array(shape.reduce((n, dim) => n * dim, 1)), shape })
  return {
    ...Object.fromEntries([...shapes].map(([name, shape]) => [name, state.get(name) ?? zeros(shape)])),
    ...streamFeeds(batch),
    ...targets.feeds,
    ...dropoutFeeds(masks, { rows: batch.rows, tokens: batch.tokens, length: batch.length }, moment),
    ...method.feed?.({ ...moment, rows: batch.rows }),
    lossDivisor: number(targets.weight),
    targetCount: number(targets.count),
    rate: number(rate),
    stepSize: number(rate / (1 - adam.betas[0])),
    deviation: number(Math.sqrt(1 - adam.betas[1])),
    ...(objective.consistency && { consistencyWeight: number(consistencyWeight(objective.consistency, moment.step)) }),
  }
}
