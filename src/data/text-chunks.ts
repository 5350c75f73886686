import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UserError } from '../errors.ts'
import { explained, fileFault } from '../file-faults.ts'

function mended(error: unknown, file: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code?.startsWith('Z_')) return new UserError(`${file}: not a whole gzip file (${message}). Download or compress it again.`)
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return new UserError(`${file}: not UTF-8. Convert it, for example with iconv -t UTF-8.`)
  return fileFault(error, file) ?? error
}

/**
 * The text of a UTF-8 file in pieces, without a byte order mark, unzipped on the way where the name ends in `.gz`.
 * UserError for a file that is missing, torn or not UTF-8.
 */
export async function* textChunks(file: string): AsyncGenerator<string> {
  const raw = explained(file, () => createReadStream(file))
  const bytes = file.toLowerCase().endsWith('.gz') ? pipeline(raw, createGunzip(), () => {}) : raw
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of bytes) yield decoder.decode(chunk as Uint8Array, { stream: true })
    yield decoder.decode()
  } catch (error) {
    throw mended(error, file)
  } finally {
    raw.destroy()
  }
}
