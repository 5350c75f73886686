import { createHash } from 'node:crypto'
import { readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { filesIn } from '../data/row-files.ts'
import type { Model } from '../models/open.ts'
import { taskFilePath } from '../tasks/named-tasks.ts'
import { fileDigest } from '../weights/digest.ts'
import { withFile } from '../weights/file-access.ts'

const SAMPLES = 256
const SAMPLE_BYTES = 4096

/** The files at a path: itself, or those in a folder; none where nothing is there. */
function filesAt(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isDirectory()) return found?.isFile() ? [path] : []
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(path, name))
    .sort()
}

/** Every text within plain data. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : []
}

/** SHA-256 of each file besides the model that a run reads: data, the adapter it starts from, what the method's settings name. */
export function sourceHashes({ data, adapter, method, task }: RunConfig): Record<string, string> {
  const described = typeof task === 'string' && taskFilePath.test(task) ? task : null
  const named = [data.train, ...filesIn(data.eval), ...filesIn(data.test), adapter, described].filter((path) => path !== null)
  // A bare word names a method, a role or a rule, whatever lies in the folder.
  const inMethod = texts(method).filter((text) => /[./\\]/.test(text) && filesAt(text).length > 0)
  const files = [...named, ...inMethod].flatMap((path) => {
    const found = filesAt(path)
    return found.length > 0 ? found : [path]
  })
  return Object.fromEntries([...new Set(files)].map((file) => [file, fileDigest(file)]))
}

/** A hash of the model's config and of samples of its weights: whole checkpoints take too long to read at every start. */
export function modelFingerprint({ config, tensors }: Model): string {
  const hash = createHash('sha256').update(JSON.stringify(config))
  for (const file of new Set([...tensors.values()].map((entry) => entry.file))) {
    withFile(file, (fd, size) => {
      hash.update(String(size))
      const sample = Buffer.alloc(Math.min(SAMPLE_BYTES, size))
      for (let i = 0; i < SAMPLES; i++) {
        const at = Math.floor(((size - sample.length) * i) / (SAMPLES - 1))
        hash.update(sample.subarray(0, readSync(fd, sample, 0, sample.length, at)))
      }
    })
  }
  return hash.digest('hex')
}
