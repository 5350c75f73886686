import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListFileEntry } from '@huggingface/hub'
import { downloadFile, listFiles, modelInfo } from '@huggingface/hub'
import { UserError } from '../errors.ts'
import type { HubFile } from './hub-blob.ts'
import { storeFile } from './hub-blob.ts'
import { COMMIT, type Extent, modelFolder } from './hub-cache.ts'

/** How to reach the hub. */
export interface HubAccess {
  /** Base address without a slash at its end; the package's own where undefined. */
  readonly hubUrl?: string
  readonly accessToken?: string
}

const SMALL_FILE =
  /^(config|generation_config|tokenizer[\w.-]*|special_tokens_map)\.json$|^chat_template\.jinja$|^vocab\.(txt|json)$|^merges\.txt$|^(spm|spiece|sentencepiece\.bpe)\.model$/
const WEIGHT_FILE = /^[\w.-]+\.safetensors(\.index\.json)?$/

/** Of a model's file names, those that are needed: where `model.safetensors` is there, no other weights. */
export function neededFiles(names: readonly string[], extent: Extent = 'whole'): string[] {
  const single = names.includes('model.safetensors')
  const isWeights = (name: string): boolean => (single ? name === 'model.safetensors' : WEIGHT_FILE.test(name))
  return names.filter((name) => SMALL_FILE.test(name) || (extent === 'whole' && isWeights(name)))
}

/**
 * Downloads the needed files of a model's main branch into the cache, in the layout of the huggingface_hub Python library.
 * `refs/main` is written last, so that an interrupted download is not taken for a whole one.
 * @param notice is told of each file before it is fetched
 * @returns the snapshot folder
 * @throws UserError where the model has no safetensors weights or a file arrives altered; else what the hub client throws
 */
export async function downloadModel(
  cache: string,
  id: string,
  access: HubAccess,
  notice: (text: string) => void,
  extent: Extent,
): Promise<string> {
  const repo = { type: 'model', name: id } as const
  const { sha } = await modelInfo({ ...access, name: id, revision: 'main', additionalFields: ['sha'] })
  if (typeof sha !== 'string' || !COMMIT.test(sha)) throw new UserError(`The hub names no commit for "${id}"; check HF_ENDPOINT.`)
  const files = await hubFiles(listFiles({ ...access, repo, revision: sha }))
  checkWeights(id, [...files.keys()])
  const folder = modelFolder(cache, id)
  for (const name of neededFiles([...files.keys()], extent)) {
    const file = hubFile(files.get(name)!)
    await storeFile(folder, sha, file, async () => {
      notice(`Downloading ${name} of ${id} (${(file.size / 1e6).toFixed(1)} MB)`)
      const blob = await downloadFile({ ...access, repo, path: name, revision: sha })
      if (!blob) throw new UserError(`${name} of "${id}" vanished from the hub while it was downloaded; run again.`)
      return blob.stream() as unknown as AsyncIterable<Uint8Array>
    })
  }
  await pointMainAt(folder, sha)
  return join(folder, 'snapshots', sha)
}

async function hubFiles(listing: AsyncIterable<ListFileEntry>): Promise<Map<string, ListFileEntry>> {
  const files = new Map<string, ListFileEntry>()
  for await (const entry of listing) if (entry.type === 'file') files.set(entry.path, entry)
  return files
}

function checkWeights(id: string, names: readonly string[]): void {
  if (!names.includes('config.json')) throw new UserError(`"${id}" has no config.json on the hub; give the id of a transformers model.`)
  if (names.some((name) => name.endsWith('.safetensors'))) return
  const how = 'load it in Python with transformers, save it with save_pretrained(folder, safe_serialization=True) and give that folder'
  throw new UserError(`"${id}" has no safetensors weights on the hub, and pickle files are never read; ${how}.`)
}

function hubFile({ path, size, oid, lfs }: ListFileEntry): HubFile {
  const hash = lfs?.oid ?? oid ?? ''
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) throw new UserError(`The hub gives no content hash for ${path}; check HF_ENDPOINT.`)
  return { path, size: lfs?.size ?? size, hash }
}

async function pointMainAt(folder: string, commit: string): Promise<void> {
  const ref = join(folder, 'refs', 'main')
  const temporary = `${ref}.${randomUUID()}.tmp`
  await mkdir(join(folder, 'refs'), { recursive: true })
  await writeFile(temporary, commit)
  await rename(temporary, ref)
}
