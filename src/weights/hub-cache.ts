import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { hasWeights, weightFiles } from './checkpoint.ts'

/** Names and values of environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What is wanted of a model: all of it, or what tells of it, its configuration and tokenizer. */
export type Extent = 'whole' | 'description'

/** A full commit id, as the hub and the cache write it. */
export const COMMIT = /^[0-9a-f]{40}$/

/**
 * The folder of the hub's cache: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub, else
 * ~/.cache/huggingface/hub. Source: constants.py of the huggingface_hub Python library, so that both share one cache.
 */
export function hubCache(env: Environment): string {
  const home = env.HOME || homedir()
  const base = env.HF_HOME || join(env.XDG_CACHE_HOME || join(home, '.cache'), 'huggingface')
  return (env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(base, 'hub')).replace(/^~(?=[/\\]|$)/, home)
}

/** The folder of one model (`owner/name` or `name`) in the cache: holds `refs`, `blobs` and `snapshots`. */
export function modelFolder(cache: string, id: string): string {
  return join(cache, `models--${id.replace('/', '--')}`)
}

/**
 * The cached snapshot of a model's main branch, or undefined where there is none that is whole: config.json and, unless its
 * description will do, all weight files. Whether it has a tokenizer too is asked by `hasTokenizer`.
 */
export function cachedSnapshot(cache: string, id: string, extent: Extent = 'whole'): string | undefined {
  const ref = join(modelFolder(cache, id), 'refs', 'main')
  if (!existsSync(ref)) return undefined
  const commit = explained(ref, () => readFileSync(ref, 'utf8')).trim()
  const folder = join(modelFolder(cache, id), 'snapshots', commit)
  return COMMIT.test(commit) && holds(folder, extent) ? folder : undefined
}

/** Whether the folder has a tokenizer: without one, a snapshot may be half downloaded. */
export function hasTokenizer(folder: string): boolean {
  const files = ['tokenizer.json', 'vocab.txt', 'vocab.json', 'spm.model', 'spiece.model', 'sentencepiece.bpe.model']
  return files.some((name) => existsSync(join(folder, name)))
}

function holds(folder: string, extent: Extent): boolean {
  if (!existsSync(join(folder, 'config.json'))) return false
  if (extent === 'description') return true
  if (!hasWeights(folder)) return false
  try {
    return weightFiles(folder).every((name) => existsSync(join(folder, name)))
  } catch (error) {
    // A damaged index of shards.
    if (error instanceof UserError) return false
    throw error
  }
}
