import { basename, join } from 'node:path'
import { UserError } from '../errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import { hasWeights, openCheckpoint, WEIGHTS_FILE } from './checkpoint.ts'
import { digestOf } from './digest.ts'
import { makeFolder } from './file-access.ts'
import { rememberedDigest } from './remembered-digest.ts'
import { readTensor } from './safetensors.ts'
import type { TensorEntry } from './tensor-entry.ts'
import { isFloating } from './tensor-entry.ts'
import { writeSafetensors } from './write-safetensors.ts'

type Named = readonly [string, TensorEntry]

/**
 * A checkpoint whose floating tensors can all be mapped as f32: the given one where they are F32 at 4-byte offsets already,
 * else a copy as one file under `cacheRoot`, keyed by content. A finished copy is used again. The copy leaves out integers
 * and booleans, and is written with one tensor in memory at a time.
 * @throws UserError where a file cannot be read or the copy cannot be written
 */
export function inFloat32(checkpoint: Checkpoint, cacheRoot: string): Checkpoint {
  const floating = [...checkpoint.tensors].filter(([, { dtype }]) => isFloating(dtype))
  if (floating.every(([, { dtype, offset }]) => dtype === 'F32' && offset % 4 === 0)) return checkpoint
  const folder = join(cacheRoot, contentKey(floating, cacheRoot))
  return finishedCopy(folder, floating) ?? writeCopy(folder, floating)
}

function finishedCopy(folder: string, floating: readonly Named[]): Checkpoint | undefined {
  if (!hasWeights(folder)) return undefined
  try {
    const copy = openCheckpoint(folder)
    return floating.every(([name, { shape }]) => isCopyOf(copy.tensors.get(name), shape)) ? copy : undefined
  } catch (error) {
    // A damaged copy is written anew.
    if (error instanceof UserError) return undefined
    throw error
  }
}

function isCopyOf(entry: TensorEntry | undefined, shape: readonly number[]): boolean {
  return entry?.dtype === 'F32' && entry.shape.length === shape.length && entry.shape.every((extent, i) => extent === shape[i])
}

function writeCopy(folder: string, floating: readonly Named[]): Checkpoint {
  makeFolder(folder)
  const sources = floating.map(([name, entry]) => [name, { shape: entry.shape, data: () => readTensor(entry) }] as const)
  writeSafetensors(join(folder, WEIGHTS_FILE), sources, { format: 'pt' })
  return openCheckpoint(folder)
}

/** SHA-256, hexadecimal, over the tensor names and over name and contents of each file, whose own hashes are remembered below `cacheRoot`. */
export function contentKey(floating: readonly Named[], cacheRoot: string): string {
  const names = floating.map(([name, { file }]) => [name, basename(file)]).sort()
  const files = [...new Set(floating.map(([, { file }]) => file))].sort()
  const contents = files.map((file) => [basename(file), rememberedDigest(file, cacheRoot)])
  return digestOf(Buffer.from(JSON.stringify([names, contents])))
}
