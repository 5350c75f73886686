import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import type { RunConfig } from '../config/run-config.ts'
import { runtimeVersion } from '../runtime/node.ts'

/** What a run was made with. Data files are told by their SHA-256. */
export interface Environment {
  readonly adatune: string
  readonly node: string
  readonly onnxruntime: string
  readonly platform: string
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly data: Readonly<Record<string, string>>
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

export async function environment({ data }: RunConfig): Promise<Environment> {
  const require = createRequire(import.meta.url)
  const files = [data.train, ...(data.eval === null ? [] : [data.eval])]
  return {
    adatune: (require('../../package.json') as { version: string }).version,
    node: process.version,
    onnxruntime: runtimeVersion,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    data: Object.fromEntries(await Promise.all(files.map(async (file) => [file, await sha256(file)] as const))),
  }
}
