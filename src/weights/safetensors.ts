import { UserError } from '../errors.ts'
import { readAt, withFile } from './file-access.ts'
import { bfloat16ToFloat32, halfToFloat32 } from './half.ts'
import type { Header } from './header-json.ts'
import { parseHeader } from './header-json.ts'
import type { TensorEntry } from './tensor-entry.ts'

export type { Header } from './header-json.ts'
export type { TensorEntry } from './tensor-entry.ts'

const LENGTH_BYTES = 8
const MOST_HEADER_BYTES = 100_000_000

/**
 * Reads and checks the header of a safetensors file; the data is not read.
 * Format: https://github.com/huggingface/safetensors (README, "Format"). Every rule is checked, so that each entry
 * lies within the file and no two share a byte.
 * @throws UserError where the file is missing, cut short or breaks a rule
 */
export function readHeader(file: string): Header {
  return withFile(file, (fd, size) => {
    if (size < LENGTH_BYTES) throw new UserError(`${file} is cut short: it has ${size} bytes; copy or download it again.`)
    const prefix = readAt(fd, file, 0, LENGTH_BYTES)
    if (new TextDecoder().decode(prefix) === 'version ') {
      throw new UserError(`${file} may be a Git LFS pointer in place of the weights; run "git lfs pull" in its folder.`)
    }
    const length = new DataView(prefix.buffer).getBigUint64(0, true)
    if (length > BigInt(MOST_HEADER_BYTES)) {
      const most = `more than ${MOST_HEADER_BYTES}`
      throw new UserError(`${file} is no valid safetensors file: it claims a header of ${length} bytes, ${most}; give another file.`)
    }
    const start = LENGTH_BYTES + Number(length)
    if (start > size) throw new UserError(`${file} is cut short: its header ends at byte ${start} of ${size}; copy or download it again.`)
    return parseHeader(readAt(fd, file, LENGTH_BYTES, Number(length)), file, start, size - start)
  })
}

/** The bytes of one tensor as they are on disk (little endian), in a buffer of their own. Throws UserError where the file has shrunk. */
export function readBytes(entry: TensorEntry): Uint8Array<ArrayBuffer> {
  return withFile(entry.file, (fd) => readAt(fd, entry.file, entry.offset, entry.bytes))
}

/**
 * The values of a floating tensor, row-major, as f32 in a buffer of their own: F32 as it is, F16 and BF16 without loss,
 * F64 rounded.
 * @throws UserError for integers and booleans, or where the file has shrunk
 */
export function readTensor(entry: TensorEntry): Float32Array<ArrayBuffer> {
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(readBytes(entry).buffer)
    case 'F16':
      return halfToFloat32(new Uint16Array(readBytes(entry).buffer))
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(readBytes(entry).buffer))
    case 'F64':
      return new Float32Array(new Float64Array(readBytes(entry).buffer))
    default:
      throw new UserError(`${entry.file}: a tensor of ${entry.dtype} stands where floating point numbers are needed; save it as F32.`)
  }
}
