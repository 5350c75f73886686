import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { explained } from '../file-faults.ts'
import { writeAtomically } from './atomic-file.ts'
import { digestOf, fileDigest } from './digest.ts'
import { makeFolder } from './file-access.ts'

/** A file that changed so lately may change again within the same tick of its clock, and look the same. */
const SETTLED_MS = 2000

interface Known {
  readonly file: string
  /** Size, times, and number of the file when it was read. */
  readonly stamp: string
  readonly digest: string
}

function stampOf(file: string): { stamp: string; changedMs: number } {
  const { size, mtimeNs, ctimeNs, ctimeMs, ino, dev } = explained(file, () => statSync(file, { bigint: true }))
  return { stamp: [size, mtimeNs, ctimeNs, ino, dev].join(), changedMs: Number(ctimeMs) }
}

function read(note: string): Partial<Known> {
  try {
    return existsSync(note) ? ((JSON.parse(readFileSync(note, 'utf8')) ?? {}) as Partial<Known>) : {}
  } catch {
    // What cannot be read is made anew.
    return {}
  }
}

/**
 * The SHA-256 of a file, in hex; large ones take long to read. It is remembered below `cacheRoot` and believed as long as the file's size,
 * times and number on its disk stay the same; `now` is in milliseconds. UserError where the file cannot be read or the note cannot be written.
 */
export function rememberedDigest(file: string, cacheRoot: string, now = Date.now()): string {
  const path = explained(file, () => realpathSync(file))
  const folder = join(cacheRoot, 'digests')
  const note = join(folder, `${digestOf(Buffer.from(path))}.json`)
  const { stamp, changedMs } = stampOf(path)
  const known = read(note)
  if (known.file === path && known.stamp === stamp && known.digest !== undefined) return known.digest
  const digest = fileDigest(path)
  if (now - changedMs > SETTLED_MS && stampOf(path).stamp === stamp) {
    makeFolder(folder)
    const found: Known = { file: path, stamp, digest }
    writeAtomically(note, (append) => append(Buffer.from(`${JSON.stringify(found)}\n`)))
  }
  return digest
}
