import { z } from 'zod'
import type { Example } from '../../data/examples.ts'
import type { Subject } from '../../evaluate/assembly.ts'
import { findModel } from '../../evaluate/find-model.ts'
import { openForward } from '../../evaluate/forward.ts'
import { forwardFlopsPerToken } from '../../evaluate/inspection.ts'
import { methodFor } from '../../evaluate/method-for.ts'
import { openTask } from '../../evaluate/open-task.ts'
import { initialState } from '../../evaluate/state.ts'
import { weightCounts } from '../../evaluate/weight-counts.ts'
import { type MethodOptions, methodOptions } from '../../methods/index.ts'
import { median } from '../../metrics/moments.ts'
import { deployed } from '../../nn/method.ts'
import { stream } from '../../random/draws.ts'
import { keyOf } from '../../random/key.ts'
import { count, digits, flops } from '../../track/numbers.ts'
import { drawn, exactly } from '../amount.ts'
import type { Measured, Measurement } from './index.ts'
import { timed } from './timed.ts'

const options = z.strictObject({
  model: z.string().min(1),
  /** What mixtures are made of, with names. */
  of: z.record(z.string().min(1), methodOptions),
  experts: z.number().int().min(2).default(4),
  rows: z.number().int().positive().default(8),
  /** Tokens of a row. */
  length: z.number().int().positive().default(64),
  rounds: z.number().int().min(10).default(100),
  threads: z.number().int().positive().default(1),
})
type Options = z.infer<typeof options>

/** Rows of random tokens. */
function examplesOf({ model }: Pick<Subject, 'model'>, { rows, length }: Options): Example[] {
  const draws = stream(keyOf('claims', 'rows'))
  return Array.from({ length: rows }, () => ({
    ids: Int32Array.from({ length }, () => draws.below(model.wiring.vocabularySize)),
    ...{ types: new Int32Array(length), mask: new Uint8Array(length).fill(1), label: null, file: '', line: 0 },
  }))
}

/** A method as it answers once it is trained: its weights, operations for a token, and a pass over the rows. */
async function answering(model: Awaited<ReturnType<typeof findModel>>, method: MethodOptions, { rows, length, threads }: Options) {
  const { subject, outline } = openTask(model, 'sequence-classification', ['0', '1'])
  const whole = methodFor(subject, outline, method)
  const { method: plain, state } = deployed(whole, initialState(subject, outline, whole, 1))
  const forward = await openForward(subject, plain, state, { batchSize: rows, threads })
  return {
    weights: weightCounts(outline, whole).merged,
    flops: forwardFlopsPerToken(subject, plain, false, rows, length),
    pass: (examples: readonly Example[]) => forward.logits(examples, state),
    close: () => forward.close(),
  }
}

/** Medians of as many values drawn with replacement. */
const medians = (values: readonly number[]): number[] =>
  Array.from({ length: 1000 }, (_, i) => {
    const { below } = stream(keyOf('medians', i))
    return median(values.map(() => values[below(values.length)]!))
  })

/** Merged mixtures beside single modules of the same kind: weights, operations, and the time of passes in turns. */
export const inference: Measurement<Options> = {
  options,
  names: ['weights', 'flops', 'time'],
  async measure(given) {
    const model = await findModel(given.model)
    const examples = examplesOf({ model }, given)
    const header = ['method', 'weights, one', 'merged', 'operations a token, one', 'merged', 'ms a pass, one', 'merged', 'ratio']
    const rows: string[][] = []
    const all: { weights: number; flops: number; times: number[] }[] = []
    for (const [name, of] of Object.entries(given.of)) {
      const mixture = methodOptions.parse({ name: 'adamix', of, experts: given.experts })
      const [one, merged] = [await answering(model, of, given), await answering(model, mixture, given)]
      try {
        const turns: [number, number][] = []
        for (let round = -3; round < given.rounds; round++) {
          // Who comes first changes, so that what the first leaves behind meets both.
          const order = round % 2 === 0 ? [one, merged] : [merged, one]
          const times = new Map<unknown, number>()
          for (const each of order) times.set(each, await timed(() => each.pass(examples)))
          if (round >= 0) turns.push([times.get(one)!, times.get(merged)!])
        }
        const times = turns.map(([a, b]) => b / a)
        all.push({ weights: merged.weights / one.weights, flops: merged.flops / one.flops, times })
        const milliseconds = [0, 1].map((i) => digits(median(turns.map((turn) => turn[i]!))))
        rows.push([
          name,
          count(one.weights),
          count(merged.weights),
          flops(one.flops),
          flops(merged.flops),
          ...milliseconds,
          digits(median(times)),
        ])
      } finally {
        await one.close()
        await merged.close()
      }
    }
    const worst = (value: (each: (typeof all)[number]) => number): number => Math.max(...all.map(value))
    const slowest = all.toSorted((a, b) => median(b.times) - median(a.times))[0]!.times
    return {
      amounts: {
        weights: exactly(worst(({ weights }) => weights)),
        flops: exactly(worst((each) => each.flops)),
        time: drawn(median(slowest), medians(slowest)),
      },
      rows: [header, ...rows],
      footing: `${given.rounds} passes in turns over ${given.rows} rows of ${given.length} tokens, ${given.threads} thread`,
    } satisfies Measured
  },
}
