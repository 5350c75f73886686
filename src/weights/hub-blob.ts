import type { Hash } from 'node:crypto'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, open, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { UserError } from '../errors.ts'

/** One file of a model on the hub: its plain name, its size in bytes and its content hash. */
export interface HubFile {
  readonly path: string
  readonly size: number
  /** SHA-256 of the content (files kept by LFS or Xet), else the git object id (SHA-1); hexadecimal. */
  readonly hash: string
}

/** The content as bytes. */
export type Download = () => Promise<AsyncIterable<Uint8Array>>

/**
 * Brings one file into the cache as `blobs/<hash>`, with a link from the snapshot; nothing is downloaded where the blob is
 * there. Size and hash of what arrives are checked.
 * @param folder of the model in the cache
 * @throws UserError where the content arrives short or altered; else what `download` or the file system throws
 */
export async function storeFile(folder: string, commit: string, file: HubFile, download: Download): Promise<void> {
  const blob = join(folder, 'blobs', file.hash)
  const link = join(folder, 'snapshots', commit, file.path)
  await Promise.all([blob, link].map((path) => mkdir(dirname(path), { recursive: true })))
  if (!(await hasSize(blob, file.size))) await storeBlob(blob, file, download)
  if (!existsSync(link)) await linkTo(blob, link)
}

async function hasSize(path: string, size: number): Promise<boolean> {
  return existsSync(path) && (await stat(path)).size === size
}

async function storeBlob(blob: string, file: HubFile, download: Download): Promise<void> {
  const temporary = `${blob}.${randomUUID()}.incomplete`
  try {
    const out = await open(temporary, 'wx')
    const hash = contentHash(file)
    let size = 0
    try {
      for await (const chunk of file.size === 0 ? [] : await download()) {
        size += chunk.length
        hash.update(chunk)
        await out.writeFile(chunk)
      }
      await out.sync()
    } finally {
      await out.close()
    }
    if (size !== file.size || hash.digest('hex') !== file.hash) {
      throw new UserError(`${file.path} arrived short or altered (${size} of ${file.size} bytes); run again to download it anew.`)
    }
    await rename(temporary, blob)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** SHA-256 of the bare content, or git's object id: SHA-1 of a blob header and the content. */
function contentHash({ hash, size }: HubFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
}

async function linkTo(blob: string, link: string): Promise<void> {
  await rm(link, { force: true })
  try {
    await symlink(relative(dirname(link), blob), link)
  } catch {
    // Systems without symbolic links get a copy.
    await copyFile(blob, link)
  }
}
