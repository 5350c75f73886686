import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { State } from '../evaluate/state.ts'
import { explained } from '../file-faults.ts'
import { syncFolder, writeText } from '../weights/atomic-file.ts'
import { fileDigest } from '../weights/digest.ts'
import { makeFolder } from '../weights/file-access.ts'
import { readHeader, readTensor } from '../weights/safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'

const MANIFEST = 'manifest.json'
const TENSORS = 'state.safetensors'
const PROGRESS = 'progress.json'

/**
 * Writes tensors and plain JSON as a folder that is there whole or not at all: files synced, a manifest of their SHA-256 last,
 * then renamed.
 * @throws UserError where the file system refuses
 */
export function writeCheckpoint(folder: string, state: State, progress: unknown): void {
  const temporary = `${folder}.${randomUUID()}.tmp`
  makeFolder(temporary)
  writeSafetensors(join(temporary, TENSORS), state)
  writeText(join(temporary, PROGRESS), `${JSON.stringify(progress)}\n`)
  const files = Object.fromEntries([PROGRESS, TENSORS].map((name) => [name, fileDigest(join(temporary, name))]))
  writeText(join(temporary, MANIFEST), `${JSON.stringify({ files }, null, 2)}\n`)
  explained(folder, () => {
    // Left by a sitting that was killed: nothing goes on from it.
    rmSync(folder, { recursive: true, force: true })
    renameSync(temporary, folder)
  })
  syncFolder(dirname(folder))
}

/** Whether a path leads to a checkpoint, whole or not. */
export const isCheckpoint = (path: string): boolean => existsSync(join(path, MANIFEST))

/** Whether a folder holds every file that its manifest names, unchanged. */
export function isWhole(folder: string): boolean {
  try {
    const { files } = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as { files: Record<string, string> }
    return [PROGRESS, TENSORS].every((name) => files[name] === fileDigest(join(folder, name)))
  } catch {
    return false
  }
}

/** What stands beside a checkpoint's tensors. */
export const readProgress = (folder: string): unknown => JSON.parse(readFileSync(join(folder, PROGRESS), 'utf8'))

/** Reads a whole checkpoint. */
export function readCheckpoint(folder: string): { state: State; progress: unknown } {
  const { tensors } = readHeader(join(folder, TENSORS))
  const state: State = new Map([...tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }]))
  return { state, progress: readProgress(folder) }
}

const name = (kind: string, step: number): string => `${kind}-${String(step).padStart(8, '0')}`
export const stepFolder = (root: string, step: number): string => join(root, name('step', step))
export const bestFolder = (root: string, step: number): string => join(root, name('best', step))

/** The checkpoints of a run by their folders, newest first, whole or not. */
export function listCheckpoints(root: string): string[] {
  if (!existsSync(root)) return []
  const entries = readdirSync(root).filter((entry) => /^step-\d+$/.test(entry))
  return entries
    .sort()
    .reverse()
    .map((entry) => join(root, entry))
}

/** Removes what a kill left, and all but the folders to keep. */
export function sweepCheckpoints(root: string, keep: readonly string[]): void {
  for (const entry of existsSync(root) ? readdirSync(root) : []) {
    if (!keep.includes(join(root, entry))) rmSync(join(root, entry), { recursive: true, force: true })
  }
}
