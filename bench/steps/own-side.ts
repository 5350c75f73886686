import { createInterface } from 'node:readline'
import { backward } from '../../src/autodiff/backward.ts'
import { type RunConfig, runConfig } from '../../src/config/run-config.ts'
import { createGraph, input, output, type Value } from '../../src/graph/graph.ts'
import { add } from '../../src/graph/ops/elementwise.ts'
import { gemm } from '../../src/graph/ops/matmul.ts'
import { slice } from '../../src/graph/ops/movement.ts'
import { symmetricDivergence } from '../../src/heads/consistency.ts'
import { openSession, runtimeVersion } from '../../src/runtime/node.ts'
import type { Feeds } from '../../src/runtime/session.ts'
import { type Prepared, prepare } from '../../src/train/prepare.ts'
import { openTraining } from '../../src/train/training.ts'
import type { Case } from './case.ts'
import type { Ready, StepMeasured } from './sides.ts'

/** The weights that the optimiser changes, without what it keeps beside them. */
function trainedWeights({ state }: Prepared): number {
  return [...state].reduce((sum, [name, { data }]) => sum + (name.includes('@') ? 0 : data.length), 0)
}

const filled = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.cos(i))

/** The shortest of some runs of what `build` makes of fed operands, in ms; of its result a number alone leaves the graph. */
async function shortest(
  shapes: readonly (readonly number[])[],
  build: (operands: readonly Value[]) => Value,
  { threads, times }: { readonly threads: number; readonly times: number },
): Promise<number> {
  const graph = createGraph()
  const operands = shapes.map((shape, i) => input(graph, `x${i}`, 'float32', shape))
  const made = build(operands)
  const corner = made.shape.reduce<Value>((x, _, axis) => slice(x, axis, 0, 1, 1), made)
  output(graph, 'corner', corner)
  const session = await openSession(graph, { threads })
  const feedOf = (shape: readonly number[]) => ({ shape, data: filled(shape.reduce((size, dim) => size * dim, 1)) })
  const feeds: Feeds = Object.fromEntries([...graph.inputs].map(([name, { shape }]) => [name, feedOf(shape as number[])]))
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < times; run++) {
    const start = performance.now()
    await session.run(feeds)
    best = Math.min(best, performance.now() - start)
  }
  await session.close()
  return best
}

/** Matrix products alone: the shortest time of each. */
async function productsMs(products: NonNullable<Case['products']>, threads: number): Promise<number[]> {
  const found: number[] = []
  for (const [rows, inner, columns] of products) {
    const shapes = [
      [rows, inner],
      [columns, inner],
    ]
    found.push(await shortest(shapes, ([x, weight]) => gemm(x!, weight!, null, { transposeB: true }), { threads, times: 8 }))
  }
  return found
}

/** The consistency loss of two passes alone, forward and backward. */
const consistencyMs = (rows: number, threads: number): Promise<number> =>
  shortest(
    [[rows, 2], [rows, 2], [rows]],
    ([first, second, counts]) => {
      const loss = symmetricDivergence(first!, second!, counts!, 'reference')
      return backward(loss, [first!, second!]).reduce<Value>((x, gradient) => add(x, gradient!), first!)
    },
    { threads, times: 20 },
  )

/** Our side, in this process: a step for each line of stdin, or what else it asks for, told in a line of JSON. */
export async function answerSteps(settings: unknown, { products = [], batchSize }: Pick<Case, 'products' | 'batchSize'>): Promise<void> {
  const config: RunConfig = runConfig.parse(settings)
  const threads = config.train.threads!
  const prepared = await prepare(config)
  const training = await openTraining(prepared, { ...config, train: prepared.train }, prepared.state, prepared.memory)
  const tell = (told: object): void => void process.stdout.write(`${JSON.stringify(told)}\n`)
  const peak = (): number => process.resourceUsage().maxRSS * 1024
  tell({
    trainedWeights: trainedWeights(prepared),
    readyBytes: peak(),
    versions: { node: process.version, onnxruntime: runtimeVersion },
  } satisfies Ready)
  let step = 0
  for await (const asked of createInterface({ input: process.stdin })) {
    if (asked === 'rate') {
      tell({ productsMs: await productsMs(products, threads) })
    } else if (asked === 'consistency') {
      tell({ consistencyMs: await consistencyMs(batchSize, threads) })
    } else {
      const start = performance.now()
      const cpu = process.cpuUsage()
      const { tokens, loss, flops } = (await training.advance(step++)).result
      const { user, system } = process.cpuUsage(cpu)
      const ms = performance.now() - start
      tell({ ms, cpuMs: (user + system) / 1e3, tokens, loss, flops, peakBytes: peak() } satisfies StepMeasured)
    }
  }
  await training.close()
}
