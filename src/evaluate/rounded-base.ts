import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { type Graph, output } from '../graph/graph.ts'
import { readFields } from '../json-file.ts'
import { roundedProducts, withErrors } from '../lowering/frozen-products.ts'
import type { Rounding } from '../lowering/roundings/rounding.ts'
import { untouched } from '../methods/in-place.ts'
import type { Model } from '../models/open.ts'
import { encode } from '../onnx/encode.ts'
import { openSession, runtimeVersion } from '../runtime/node.ts'
import type { Tensor } from '../runtime/session.ts'
import { writeText } from '../weights/atomic-file.ts'
import { convertedCopy } from '../weights/converted-copy.ts'
import { digestOf } from '../weights/digest.ts'
import { arrangement } from './arrangement.ts'
import { encoded } from './assembly.ts'
import { probeRows } from './probe-rows.ts'
import { streamFeeds } from './stream-feeds.ts'

/** A model whose frozen products are made from a rounded form of its weights. */
export interface RoundedBase {
  readonly model: Model
  /** Matrices that stay in float32. */
  readonly kept: readonly string[]
  /** How far the last hidden states are off, relative to their norm. */
  readonly error: number
}

/** The model without a head or a method, up to its last hidden states. */
function hiddenStates(model: Model): Graph {
  const { network, hidden } = encoded(model, { method: untouched, training: false, trains: () => false })
  output(network.graph, 'hidden', hidden)
  return network.graph
}

type Trial = Pick<RoundedBase, 'kept' | 'error'>

/**
 * What trying the weights of `folder` in `graph` came to, kept there: it depends on the weights, the graph, the engine and the processor,
 * some of which saturate where others do not.
 */
async function remembered(folder: string, graph: Graph, most: number, tried: () => Promise<Trial>): Promise<Trial> {
  const circumstances = [encode(graph), Buffer.from([runtimeVersion, process.arch, cpus()[0]?.model, most].join())]
  const file = join(folder, `trial.${digestOf(Buffer.concat(circumstances))}.json`)
  if (existsSync(file)) return readFields(file) as unknown as Trial
  const trial = await tried()
  writeText(file, `${JSON.stringify(trial)}\n`)
  return trial
}

const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))

/**
 * The model with its frozen products made from a rounded form of its weights (`roundedProducts`), converted below `cacheRoot` in a folder of
 * a name. Each matrix is tried on a few rows of random tokens first; where an outlier among a row's values leaves the others too few steps,
 * it stays in float32.
 */
export async function withRoundedBase(
  model: Model,
  { name, rounding }: { readonly name: string; readonly rounding: Rounding },
  cacheRoot: string,
): Promise<RoundedBase> {
  const form = { rounding, copy: convertedCopy(model.tensors, cacheRoot, name) }
  const { batch } = arrangement({ model }, {})
  const feeds = streamFeeds(batch(probeRows(model)))
  const run = async (graph: Graph): Promise<Readonly<Record<string, Tensor>>> => {
    const session = await openSession(graph)
    try {
      return await session.run(Object.fromEntries([...graph.inputs.keys()].map((name) => [name, feeds[name]!])))
    } finally {
      await session.close()
    }
  }
  const { graph, matrices } = withErrors(hiddenStates(model), form)
  const trial = await remembered(form.copy.folder, graph, rounding.most, async () => {
    const { hidden: exact, ...errors } = await run(graph)
    const kept = [...matrices].flatMap(([told, matrix]) => (errors[told]!.data[0]! <= rounding.most ? [] : [matrix]))
    const { hidden: rounded } = await run(roundedProducts(hiddenStates(model), form, { kept: new Set(kept) }))
    const off = Array.from(rounded!.data, (value, i) => value - exact!.data[i]!)
    return { kept, error: norm(off) / norm(Array.from(exact!.data)) }
  })
  const kept = new Set(trial.kept)
  return { model: { ...model, lowered: (graph, lowering) => roundedProducts(graph, form, { ...lowering, kept }) }, ...trial }
}
