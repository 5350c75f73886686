import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { readHeader } from './safetensors.ts'
import { INDEX_FILE, readShardIndex } from './shard-index.ts'
import type { TensorEntry } from './tensor-entry.ts'

/** The single-file form of a checkpoint. */
export const WEIGHTS_FILE = 'model.safetensors'

/** The weights of a model on disk, ready to be mapped. */
export interface Checkpoint {
  /**
   * Real path of the one folder that holds all weight files. Behind symbolic links (the cache of the hub) it is the
   * folder they point to, so look for config.json in the folder that was opened, not here.
   */
  readonly folder: string
  /** By name; each `file` is an absolute real path directly within `folder`. */
  readonly tensors: ReadonlyMap<string, TensorEntry>
}

/** Whether the folder has safetensors weights: one file, or an index of shards. Does not look inside. */
export function hasWeights(folder: string): boolean {
  return existsSync(join(folder, WEIGHTS_FILE)) || existsSync(join(folder, INDEX_FILE))
}

/** Names of the weight files of a folder that has weights: the single file, or the shards. Throws UserError for a damaged index. */
export function weightFiles(folder: string): string[] {
  if (existsSync(join(folder, WEIGHTS_FILE))) return [WEIGHTS_FILE]
  return [...new Set(readShardIndex(folder).values())].sort()
}

/**
 * Opens the weights of a folder: `model.safetensors`, else the shards of `model.safetensors.index.json`. Reads headers only.
 * @throws UserError where there are none (pickle files are never read), or where they are incomplete or damaged
 */
export function openCheckpoint(folder: string): Checkpoint {
  if (!hasWeights(folder)) throw noWeights(folder)
  const files = new Map(weightFiles(folder).map((name) => [name, realFile(folder, name)]))
  const home = oneFolder(folder, files)
  if (files.has(WEIGHTS_FILE)) return { folder: home, tensors: readHeader(files.get(WEIGHTS_FILE)!).tensors }
  const headers = new Map([...files].map(([name, file]) => [name, readHeader(file)]))
  const tensors = new Map<string, TensorEntry>()
  for (const [name, shard] of readShardIndex(folder)) {
    const entry = headers.get(shard)?.tensors.get(name)
    if (!entry)
      throw new UserError(`${join(folder, shard)} lacks the tensor "${name}" that ${INDEX_FILE} places there; download both again.`)
    tensors.set(name, entry)
  }
  return { folder: home, tensors }
}

function realFile(folder: string, name: string): string {
  const file = join(folder, name)
  if (!existsSync(file)) throw new UserError(`${file} is missing though ${INDEX_FILE} lists it; download it into that folder.`)
  return explained(file, () => realpathSync(file))
}

function oneFolder(folder: string, files: ReadonlyMap<string, string>): string {
  const homes = new Set([...files.values()].map((file) => dirname(file)))
  if (homes.size > 1) throw new UserError(`The shards of ${folder} are links into ${homes.size} folders; copy them into one folder.`)
  return [...homes][0]!
}

function noWeights(folder: string): UserError {
  if (!existsSync(folder)) return new UserError(`There is no folder ${folder}; check the path.`)
  if (!statSync(folder).isDirectory()) return new UserError(`${folder} is a file; give the folder of the model.`)
  const pickle = explained(folder, () => readdirSync(folder))
    .sort()
    .find((name) => /\.(bin|pt|pth|ckpt)$/i.test(name))
  if (pickle === undefined) {
    return new UserError(`The folder ${folder} holds no weights; it needs ${WEIGHTS_FILE} or ${INDEX_FILE} with its shards.`)
  }
  const how = 'load the model in Python with transformers and save it with save_pretrained(folder, safe_serialization=True)'
  return new UserError(`${join(folder, pickle)} is a pickle file, which may run code and is never read; convert it: ${how}.`)
}
