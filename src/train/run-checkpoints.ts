import { rmSync } from 'node:fs'
import { bestFolder, isWhole, listCheckpoints, readProgress, sweepCheckpoints } from './checkpoint.ts'
import type { Progress } from './loop.ts'
import type { Spent } from './spent.ts'

/** What a run's checkpoint holds besides tensors. */
export interface Saved {
  readonly progress: Progress
  readonly memory: unknown
  /** Bytes of run.jsonl that belong to it. */
  readonly logBytes: number
  readonly spent: Spent
}

/** The best state that a checkpoint refers to, as a list of at most one folder. */
function bestOf(root: string, checkpoint: string): string[] {
  const { progress } = readProgress(checkpoint) as Saved
  return progress.best ? [bestFolder(root, progress.best.step)] : []
}

/** The newest checkpoint that is whole with its best state. Torn ones are told and removed. */
export function newestCheckpoint(root: string): { readonly newest: string | null; readonly torn: readonly string[] } {
  const folders = listCheckpoints(root)
  const usable = folders.filter((folder) => isWhole(folder) && bestOf(root, folder).every(isWhole))
  const torn = folders.filter((folder) => !usable.includes(folder))
  for (const folder of torn) rmSync(folder, { recursive: true, force: true })
  return { newest: usable[0] ?? null, torn }
}

/** Keeps the newest checkpoints and the best states that they refer to. */
export function sweepRun(root: string, count: number): void {
  const kept = listCheckpoints(root).slice(0, count)
  sweepCheckpoints(root, [...kept, ...kept.flatMap((folder) => bestOf(root, folder))])
}
