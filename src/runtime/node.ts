import { dirname } from 'node:path'
import * as ort from 'onnxruntime-node'
import type { Dtype, Graph } from '../graph/graph.ts'
import { encode } from '../onnx/encode.ts'
import { assertAliasesSafe } from '../onnx/order.ts'
import type { Feeds, Session, SessionOptions, Tensor } from './session.ts'

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

/**
 * Compiles a graph for ONNX Runtime's CPU kernels. Frozen weights are memory-mapped from their files.
 * The settings are measured ones: no memory pattern (it doubles the activations), denormals to zero, no graph
 * optimisation (it reorders nothing useful and would merge recomputed segments), nor the duplication of DequantizeLinear
 * for each reader (it runs all copies of the dropout masks first and keeps them until the backward pass).
 */
export async function openSession(graph: Graph, { threads, prepack = false, profile }: SessionOptions = {}): Promise<Session> {
  assertAliasesSafe(graph)
  const folder = weightsFolder(graph)
  const session = await ort.InferenceSession.create(encode(graph), {
    executionProviders: ['cpu'],
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
      const fetches: Record<string, ort.Tensor | null> = {}
      for (const name of graph.outputs.keys()) {
        const into = graph.aliases.get(name)
        fetches[name] = into === undefined ? null : fed[into]!
      }
      const results = await session.run(fed, fetches as ort.InferenceSession.OnnxValueMapType)
      const returned: Record<string, Tensor> = {}
      for (const name of graph.outputs.keys()) {
        if (graph.aliases.has(name)) continue
        const { data, dims } = results[name]!
        returned[name] = { data: data as Float32Array, shape: dims }
      }
      return returned
    },
    async close(): Promise<void> {
      if (profile !== undefined) session.endProfiling()
      await session.release()
    },
  }
}
