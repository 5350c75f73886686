import { dirname } from 'node:path'
import * as ort from 'onnxruntime-node'
import { UserError } from '../errors.ts'
import type { Dtype, Graph, Value } from '../graph/graph.ts'
import { elementCount } from '../nn/tensor.ts'
import { encode } from '../onnx/encode.ts'
import { assertAliasesSafe } from '../onnx/order.ts'
import type { Feeds, Session, SessionOptions, Tensor } from './session.ts'
import { FIRST_OUTPUT, runUncopied } from './uncopied.ts'

/** The version of ONNX Runtime. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common

const ortType: Readonly<Record<Dtype, ort.Tensor.Type>> = {
  float32: 'float32',
  float64: 'float64',
  int32: 'int32',
  int64: 'int64',
  int8: 'int8',
  uint8: 'uint8',
  bool: 'bool',
}

/** The one folder that holds all frozen weights of a graph, or null without any. */
function weightsFolder(graph: Graph): string | null {
  const folders = new Set(
    [...graph.externals.values()].flatMap(({ source }) => (source.kind === 'external' && source.range ? [dirname(source.range.file)] : [])),
  )
  if (folders.size > 1) throw new Error(`the weights of one session lie in several folders: ${[...folders].join(', ')}`)
  return [...folders][0] ?? null
}

/** The sizes of an output, which are to be known before the run. */
function knownSizes({ name, shape }: Value): number[] {
  if (shape.every((dim) => typeof dim === 'number')) return [...shape]
  throw new Error(`a graph that writes into what it is fed has an output of unknown size, "${name}" [${shape}]`)
}

/** A tensor for an output to be written into. */
function emptied(value: Value): ort.Tensor {
  const sizes = knownSizes(value)
  return new ort.Tensor(ortType[value.dtype] as 'float32', new Array<number>(elementCount(sizes)).fill(0), sizes)
}

/**
 * Compiles a graph for ONNX Runtime's kernels of a device, by default the processor's. Frozen weights are memory-mapped from their files.
 * The settings are measured ones: no memory pattern (it doubles the activations), denormals to zero, no graph
 * optimisation (it reorders nothing useful and would merge recomputed segments), nor the duplication of DequantizeLinear
 * for each reader (it runs all copies of the dropout masks first and keeps them until the backward pass).
 * @throws UserError for a number of threads that there cannot be
 */
export async function openSession(
  graph: Graph,
  { device = 'cpu', threads, prepack = false, profile }: SessionOptions = {},
): Promise<Session> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new UserError(`threads is ${threads}; expected a whole number of at least 1.`)
  assertAliasesSafe(graph)
  // The order of nodes, which makes it safe, is that of the processor alone.
  const inPlace = device === 'cpu' && graph.aliases.size > 0
  if (inPlace) for (const value of graph.outputs.values()) knownSizes(value)
  const folder = weightsFolder(graph)
  const session = await ort.InferenceSession.create(encode(graph, inPlace ? FIRST_OUTPUT : null), {
    executionProviders: [device],
    executionMode: 'sequential',
    graphOptimizationLevel: 'disabled',
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
    extra: {
      session: {
        disable_prepacking: prepack ? '0' : '1',
        disable_quant_qdq: '1',
        set_denormal_as_zero: '1',
        intra_op: { allow_spinning: '0' },
        ...(folder !== null && { model_external_initializers_file_folder_path: folder }),
      },
    },
  })
  return {
    async run(feeds: Feeds): Promise<Record<string, Tensor>> {
      const fed: Record<string, ort.Tensor> = {}
      for (const [name, { dtype }] of graph.inputs) {
        const tensor = feeds[name]
        if (!tensor) throw new Error(`the input "${name}" is not fed`)
        fed[name] = new ort.Tensor(ortType[dtype] as 'float32', tensor.data as Float32Array, tensor.shape)
      }
      const into = (name: string, value: Value): ort.Tensor => fed[graph.aliases.get(name) ?? ''] ?? emptied(value)
      const results = inPlace
        ? await runUncopied(session, fed, Object.fromEntries([...graph.outputs].map(([name, value]) => [name, into(name, value)])))
        : await session.run(fed, [...graph.outputs.keys()])
      const returned: Record<string, Tensor> = {}
      for (const name of graph.outputs.keys()) {
        const { data, dims } = results[name]!
        const written = graph.aliases.get(name)
        if (written === undefined) returned[name] = { data: data as Float32Array, shape: dims }
        else if (!inPlace) feeds[written]!.data.set(data as Float32Array)
      }
      return returned
    },
    async close(): Promise<void> {
      if (profile !== undefined) session.endProfiling()
      await session.release()
    },
  }
}
