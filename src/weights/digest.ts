import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'
import { withFile } from './file-access.ts'

/** The SHA-256 of bytes, in hex. */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The SHA-256 of a file of any size, in hex. Throws UserError where it cannot be read. */
export function fileDigest(file: string): string {
  return withFile(file, (fd, size) => {
    const hash = createHash('sha256')
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(size, 1), 1 << 22))
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) hash.update(chunk.subarray(0, read))
    return hash.digest('hex')
  })
}
