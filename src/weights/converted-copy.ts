import { copyFileSync, existsSync, linkSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { explained } from '../file-faults.ts'
import type { FileRange } from '../graph/graph.ts'
import type { Checkpoint } from './checkpoint.ts'
import { makeFolder } from './file-access.ts'
import { contentKey } from './float32-copy.ts'
import { readHeader, readTensor } from './safetensors.ts'
import { type TensorSource, writeSafetensors } from './write-safetensors.ts'

type Named = readonly [string, TensorSource]

/** Weights beside other forms of their matrices, all in one folder. */
export interface ConvertedCopy {
  /** Where it is; whatever is true of these weights can be kept here. */
  readonly folder: string
  /** The same bytes in the copy's folder. */
  located(range: FileRange): FileRange
  /** The tensors that `convert` makes of a matrix of the checkpoint, under a name of its own; made when they are first asked for. */
  form(
    range: FileRange,
    shape: readonly [number, number],
    name: string,
    convert: (matrix: Float32Array) => readonly Named[],
  ): ReadonlyMap<string, FileRange>
}

/** The file in another folder too: a link where the file system has them, else a copy. */
function linked(file: string, folder: string): string {
  const target = join(folder, basename(file))
  if (existsSync(target)) return target
  try {
    linkSync(file, target)
  } catch {
    if (existsSync(target)) return target
    const part = `${target}.${process.pid}.part`
    explained(target, () => {
      copyFileSync(file, part)
      renameSync(part, target)
    })
  }
  return target
}

/**
 * The float32 weights of a checkpoint with converted forms beside them: below `cacheRoot` in a folder of a name, keyed by content, so that a
 * second run converts nothing. UserError where the copy cannot be written.
 */
export function convertedCopy(tensors: Checkpoint['tensors'], cacheRoot: string, name: string): ConvertedCopy {
  const folder = join(cacheRoot, name, contentKey([...tensors], cacheRoot))
  makeFolder(folder)
  return {
    folder,
    located: (range) => ({ ...range, file: linked(range.file, folder) }),
    form(range, shape, form, convert) {
      const file = join(folder, `${basename(range.file)}.${range.offset}.${form}`)
      if (!existsSync(file)) writeSafetensors(file, convert(readTensor({ ...range, dtype: 'F32', shape })))
      return readHeader(file).tensors
    },
  }
}
