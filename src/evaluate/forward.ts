import type { Example } from '../data/examples.ts'
import { output } from '../graph/graph.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { openSession } from '../runtime/node.ts'
import type { Session } from '../runtime/session.ts'
import { arrangement } from './arrangement.ts'
import { assemble, type Subject } from './assembly.ts'
import { trainedIn } from './state.ts'
import { streamFeeds } from './stream-feeds.ts'

/** A model with a method's state, ready to answer. */
export interface Forward {
  /** Logits of each example, in order: `outputs` numbers, or as many for each of its tokens. */
  logits(examples: readonly Example[], state: ReadonlyMap<string, Tensor>): Promise<Float32Array[]>
  close(): Promise<void>
}

export interface ForwardOptions {
  readonly batchSize: number
  readonly threads?: number
}

/** Compiles the forward pass. `state` gives the names and shapes; `logits` may be asked with other values. */
export async function openForward(
  subject: Subject,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  { batchSize, threads }: ForwardOptions,
): Promise<Forward> {
  const { network, logits } = assemble(subject, { method, training: false, trains: trainedIn(state) })
  const { graph } = network
  output(graph, 'logits', logits)
  const session: Session = await openSession(graph, { ...(threads !== undefined && { threads }) })
  const byToken = subject.head.wiring !== 'sequence-classification'
  const { rows: rowsOf, batch: batchOf, virtualTokens } = arrangement(subject, method)
  return {
    async logits(examples, values) {
      const results: Float32Array[] = new Array(examples.length)
      // Rows of like length share a batch, so that attention wastes little.
      const order = examples.map((_, i) => i).sort((a, b) => examples[b]!.ids.length - examples[a]!.ids.length || a - b)
      const fed = Object.fromEntries([...values].filter(([name]) => graph.inputs.has(name)))
      for (let start = 0; start < order.length; start += batchSize) {
        const rows = order.slice(start, start + batchSize)
        const chosen = rows.map((i) => examples[i]!)
        const batch = batchOf(rowsOf(chosen))
        const { data, shape } = (await session.run({ ...streamFeeds(batch), ...fed })).logits!
        let at = 0
        rows.forEach((i, row) => {
          const { ids, decoder } = chosen[row]!
          const size = shape[1]! * (byToken ? (decoder?.ids ?? ids).length : 1)
          // Virtual tokens have logits that nobody asks for.
          if (byToken && !decoder) at += shape[1]! * virtualTokens
          results[i] = (data as Float32Array).slice(at, at + size)
          at += size
        })
      }
      return results
    },
    close: () => session.close(),
  }
}
