import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ZodError } from 'zod'
import { didYouMean, UserError } from '../errors.ts'
import type { FileRange, Graph } from '../graph/graph.ts'
import { type Fields, readFields } from '../json-file.ts'
import type { Device } from '../onnx/devices.ts'
import { openCheckpoint } from '../weights/checkpoint.ts'
import { readTensor, type TensorEntry } from '../weights/safetensors.ts'
import type { Wiring } from './architecture.ts'
import { architectureOf } from './index.ts'

/** A model folder: its configuration wired, its weights located. */
export interface Model {
  readonly folder: string
  readonly modelType: string
  /** `config.json` as it is. */
  readonly config: Readonly<Record<string, unknown>>
  readonly wiring: Wiring
  /** The checkpoint's tensors; empty where the folder holds a config alone. */
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** The checkpoint's entry for a tensor under its canonical name, or null. */
  readonly find: (name: string) => TensorEntry | null
  /** How a graph over its weights is made ready for the engine; where that packs constant matrices, graphs may be others. */
  readonly lowered: (graph: Graph, options?: { readonly prepack?: boolean }) => Graph
  /** Where graphs over its weights are run. */
  readonly device: Device
}

function readConfig(folder: string): Fields {
  const file = join(folder, 'config.json')
  if (!existsSync(file)) throw new UserError(`${file} is missing: a model folder needs HF's config.json; download the whole model.`)
  return readFields(file)
}

function wire(folder: string, config: Fields): { wiring: Wiring; modelType: string } {
  const modelType = config.model_type
  if (typeof modelType !== 'string')
    throw new UserError(`${join(folder, 'config.json')} names no "model_type"; give a model of transformers.`)
  try {
    return { modelType, wiring: architectureOf(modelType).wire(config) }
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    const [issue] = error.issues
    throw new UserError(`${join(folder, 'config.json')}: "${issue?.path.join('.')}" cannot be used: ${issue?.message}.`)
  }
}

/** The names under which checkpoints keep a tensor: with or without the encoder's prefix, and TensorFlow's old names of norms. */
function aliases(name: string, prefix: string): string[] {
  const bare = name.startsWith(`${prefix}.`) ? [name, name.slice(prefix.length + 1)] : [name]
  const old = bare.map((alias) => alias.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta'))
  return [...new Set([...bare, ...old])]
}

/** Reads `config.json` alone. */
export function openConfig(folder: string): Model {
  const config = readConfig(folder)
  return { folder, config, ...wire(folder, config), tensors: new Map(), find: () => null, lowered: (graph) => graph, device: 'cpu' }
}

/** Opens a model folder with weights. `prepare` may replace the checkpoint, e.g. by a float32 copy. */
export function openModel(
  folder: string,
  prepare: (checkpoint: ReturnType<typeof openCheckpoint>) => ReturnType<typeof openCheckpoint>,
): Model {
  const model = openConfig(folder)
  const { tensors } = prepare(openCheckpoint(folder))
  const find = (name: string): TensorEntry | null => {
    for (const alias of aliases(name, model.wiring.prefix)) {
      const entry = tensors.get(alias)
      if (entry) return entry
    }
    return null
  }
  for (const name of model.wiring.zeros ?? []) {
    const entry = find(name)
    if (entry && readTensor(entry).some((value) => value !== 0)) {
      throw new UserError(`${folder}: the tensor "${name}" is not zero, and would be left out here; take a checkpoint without it.`)
    }
  }
  return { ...model, tensors, find }
}

/** The bytes of a frozen tensor; a tensor that is missing or has another shape is an error. */
export function locate(model: Model, name: string, shape: readonly number[]): FileRange | null {
  if (model.tensors.size === 0) return null
  const entry = model.find(name)
  if (!entry) throw new UserError(`${model.folder} has no tensor "${name}".${didYouMean(name, model.tensors.keys())}`)
  if (entry.shape.join() !== shape.join()) {
    throw new UserError(`${model.folder}: the tensor "${name}" is [${entry.shape}], but config.json makes it [${shape}].`)
  }
  return entry
}
