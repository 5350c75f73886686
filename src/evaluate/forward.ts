import type { Example } from '../data/examples.ts'
import { byLength } from '../data/order.ts'
import { type Graph, output } from '../graph/graph.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { Session } from '../runtime/session.ts'
import { arrangement } from './arrangement.ts'
import { assemble, outputsOf, type Subject } from './assembly.ts'
import { openEngine } from './engine.ts'
import type { Progress } from './progress.ts'
import { trainedIn } from './state.ts'
import { streamFeeds } from './stream-feeds.ts'

/** A model with a method's state, ready to answer. */
export interface Forward {
  /** What the head answers for each example, in order: by default its logits, `outputs` numbers, or as many for each of its tokens. */
  logits(examples: readonly Example[], state: ReadonlyMap<string, Tensor>): Promise<Float32Array[]>
  close(): Promise<void>
}

export interface ForwardOptions {
  readonly batchSize: number
  readonly threads?: number
  readonly progress?: Progress | undefined
}

/** Logits that a call may hold, but for rows that have more alone: those of a vocabulary fill the memory before the rows do. */
const MOST_LOGITS = 2 ** 25

/** Rows in order, at most so many at a time. */
function batches(order: readonly number[], logits: (row: number) => number, most: number): number[][] {
  const all: number[][] = []
  let room = 0
  for (const row of order) {
    const size = logits(row)
    if (all.length === 0 || size > room || all.at(-1)!.length === most) {
      all.push([])
      room = MOST_LOGITS
    }
    all.at(-1)!.push(row)
    room -= size
  }
  return all
}

/** The forward pass as a graph, whose output `logits` is what the head answers. */
export function forwardGraph(subject: Subject, method: Method, state: ReadonlyMap<string, Pick<Tensor, 'shape'>>): Graph {
  const { network, logits } = assemble(subject, { method, training: false, trains: trainedIn(state) })
  output(network.graph, 'logits', subject.head.told?.(network, logits) ?? logits)
  return network.graph
}

/** How many rows of so many answers a call may hold. */
export const mostRows = (subject: Subject, answers: number, batchSize: number): number =>
  Math.max(1, Math.min(batchSize, Math.floor(MOST_LOGITS / (answers * outputsOf(subject)))))

/** A forward pass for as long as `use` takes. */
export async function withForward<T>(
  subject: Subject,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  options: ForwardOptions,
  use: (forward: Forward) => Promise<T>,
): Promise<T> {
  const forward = await openForward(subject, method, state, options)
  try {
    return await use(forward)
  } finally {
    await forward.close()
  }
}

/** Compiles the forward pass. `state` gives the names and shapes; `logits` may be asked with other values. */
export async function openForward(
  subject: Subject,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  { batchSize, threads, progress }: ForwardOptions,
): Promise<Forward> {
  const graph = forwardGraph(subject, method, state)
  const { head } = subject
  const session: Session = await openEngine(subject.model, graph, { ...(threads !== undefined && { threads }) })
  const outputs = outputsOf(subject)
  const { rows: rowsOf, batch: batchOf } = arrangement(subject, method)
  return {
    async logits(examples, values) {
      const results: Float32Array[] = new Array(examples.length)
      const fed = Object.fromEntries([...values].filter(([name]) => graph.inputs.has(name)))
      let done = 0
      for (const rows of batches(byLength(examples), (i) => head.answers(examples[i]!) * outputs, batchSize)) {
        const chosen = rows.map((i) => examples[i]!)
        const arranged = rowsOf(chosen)
        const batch = batchOf(arranged)
        const { data, shape } = (await session.run({ ...streamFeeds(batch), ...head.inputs?.(arranged, batch), ...fed })).logits!
        const width = shape[1]!
        let at = 0
        rows.forEach((i, row) => {
          const [own, all] = [chosen[row]!, arranged[row]!].map((example) => width * head.answers(example)) as [number, number]
          // Virtual tokens may have answers that nobody asks for.
          results[i] = (data as Float32Array).slice(at + all - own, at + all)
          at += all
        })
        done += rows.length
        progress?.(done, examples.length, 'rows')
      }
      return results
    },
    close: () => session.close(),
  }
}
