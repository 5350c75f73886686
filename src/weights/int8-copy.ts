import { copyFileSync, existsSync, linkSync, mkdirSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { FileRange } from '../graph/graph.ts'
import type { Checkpoint } from './checkpoint.ts'
import { explained } from './file-access.ts'
import { contentKey } from './float32-copy.ts'
import { readHeader, readTensor } from './safetensors.ts'
import { writeSafetensors } from './write-safetensors.ts'

/** A matrix in whole numbers, `[inner, columns]` int8, and what each column is multiplied by, `[columns]` float32. */
export interface Int8Matrix {
  readonly values: FileRange
  readonly scales: FileRange
}

/** Weights beside their forms in whole numbers, all in one folder. */
export interface Int8Copy {
  /** Where it is; whatever is true of these weights can be kept here. */
  readonly folder: string
  /** The same bytes in the copy's folder. */
  located(range: FileRange): FileRange
  /** A matrix `[rows, columns]` of the checkpoint, or its transpose, in whole numbers; made when it is first asked for. */
  matrix(range: FileRange, shape: readonly [number, number], transposed: boolean): Int8Matrix
}

/** The matrix, or its transpose, rounded to 127 steps a column, whose largest value is hit exactly; a column of zeros stays one. */
export function quantized(
  matrix: Float32Array,
  [rows, columns]: readonly [number, number],
  transposed: boolean,
): { values: Int8Array; scales: Float32Array } {
  const [inner, outer] = transposed ? [columns, rows] : [rows, columns]
  const at = transposed ? (i: number, j: number): number => j * columns + i : (i: number, j: number): number => i * columns + j
  const scales = new Float32Array(outer)
  for (let i = 0; i < inner; i++) for (let j = 0; j < outer; j++) scales[j] = Math.max(scales[j]!, Math.abs(matrix[at(i, j)]!))
  for (let j = 0; j < outer; j++) scales[j] = scales[j] === 0 ? 1 : scales[j]! / 127
  const values = new Int8Array(inner * outer)
  for (let i = 0; i < inner; i++) for (let j = 0; j < outer; j++) values[i * outer + j] = Math.round(matrix[at(i, j)]! / scales[j]!)
  return { values, scales }
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
 * The float32 weights of a checkpoint for products in whole numbers: below `cacheRoot`, keyed by content, so that a second run converts
 * nothing. UserError where the copy cannot be written.
 */
export function int8Copy(tensors: Checkpoint['tensors'], cacheRoot: string): Int8Copy {
  const folder = join(cacheRoot, 'int8', contentKey([...tensors], cacheRoot))
  explained(folder, () => mkdirSync(folder, { recursive: true }))
  return {
    folder,
    located: (range) => ({ ...range, file: linked(range.file, folder) }),
    matrix(range, shape, transposed) {
      const file = join(folder, `${basename(range.file)}.${range.offset}${transposed ? '.transposed' : ''}.int8`)
      if (!existsSync(file)) {
        const { values, scales } = quantized(readTensor({ ...range, dtype: 'F32', shape }), shape, transposed)
        const inner = values.length / scales.length
        writeSafetensors(file, [
          ['values', { shape: [inner, scales.length], dtype: 'I8', data: values }],
          ['scales', { shape: [scales.length], data: scales }],
        ])
      }
      const { tensors: stored } = readHeader(file)
      return { values: stored.get('values')!, scales: stored.get('scales')! }
    },
  }
}
