import { UserError } from '../errors.ts'
import { readAt } from './file-access.ts'

/** Where the bytes of a stored file lie in a zip file. */
export interface ZipEntry {
  readonly offset: number
  readonly bytes: number
  readonly crc: number
}

// Sizes and signatures of records: PKWARE's APPNOTE.TXT, 4.3.7, 4.3.12 and 4.3.16.
const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50]
const [LOCAL_BYTES, CENTRAL_BYTES, END_BYTES] = [30, 46, 22]
const MOST_COMMENT = 65_535

const damaged = (file: string, what: string): UserError =>
  new UserError(`${file} is no whole zip file: ${what}; copy, download or save it again.`)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The place of the directory, as the record at the file's end tells it. */
function findDirectory(fd: number, file: string, size: number): { start: number; bytes: number; count: number } {
  const tail = Math.min(size, END_BYTES + MOST_COMMENT)
  const view = viewOf(readAt(fd, file, size - tail, tail))
  for (let at = tail - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END || at + END_BYTES + view.getUint16(at + 20, true) !== tail) continue
    const [disks, count] = [view.getUint32(at + 4, true), view.getUint16(at + 10, true)]
    const [bytes, start] = [view.getUint32(at + 12, true), view.getUint32(at + 16, true)]
    if (disks !== 0 || view.getUint16(at + 8, true) !== count) throw damaged(file, 'it is a part of several')
    if (start + bytes > size - tail + at) throw damaged(file, 'its directory lies outside of it')
    return { start, bytes, count }
  }
  throw damaged(file, 'its directory is missing')
}

/** The data's offset, past the header that repeats the name. */
function dataOffset(fd: number, file: string, header: number, name: Uint8Array, limit: number): number {
  if (header + LOCAL_BYTES + name.length > limit) throw damaged(file, 'an entry lies outside of it')
  const bytes = readAt(fd, file, header, LOCAL_BYTES + name.length)
  const view = viewOf(bytes)
  if (
    view.getUint32(0, true) !== LOCAL ||
    view.getUint16(26, true) !== name.length ||
    !Buffer.from(bytes.subarray(LOCAL_BYTES)).equals(name)
  )
    throw damaged(file, 'an entry is not where the directory says')
  return header + LOCAL_BYTES + name.length + view.getUint16(28, true)
}

/**
 * The stored files of a zip file by name; entries that are compressed or encrypted are refused. Each lies within the file, before
 * the directory.
 * @throws UserError where the file is damaged, or larger than 4 GB
 */
export function readZip(fd: number, file: string, size: number): Map<string, ZipEntry> {
  if (size < END_BYTES) throw damaged(file, `it has ${size} bytes`)
  const { start, bytes, count } = findDirectory(fd, file, size)
  const directory = readAt(fd, file, start, bytes)
  const view = viewOf(directory)
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > bytes || view.getUint32(at, true) !== CENTRAL) throw damaged(file, 'its directory is cut short')
    const [flags, method, crc] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true), view.getUint32(at + 16, true)]
    const [packed, length, header] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true), view.getUint32(at + 42, true)]
    const [nameBytes, rest] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true) + view.getUint16(at + 32, true)]
    const raw = directory.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes)
    const name = Buffer.from(raw).toString('utf8')
    at += CENTRAL_BYTES + nameBytes + rest
    if (at > bytes) throw damaged(file, 'its directory is cut short')
    if (method !== 0 || (flags & 1) !== 0 || packed !== length) throw damaged(file, `"${name}" is compressed or encrypted`)
    const offset = dataOffset(fd, file, header, raw, start)
    if (offset + length > start) throw damaged(file, `"${name}" lies outside of it`)
    if (entries.has(name)) throw damaged(file, `"${name}" is there twice`)
    entries.set(name, { offset, bytes: length, crc })
  }
  if (at !== bytes) throw damaged(file, 'its directory holds more than it says')
  return entries
}
