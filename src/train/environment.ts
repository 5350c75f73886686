import { cpus, totalmem } from 'node:os'
import type { RunConfig } from '../config/run-config.ts'
import type { Model } from '../models/open.ts'
import { version } from '../package.ts'
import { runtimeVersion } from '../runtime/node.ts'
import { modelFingerprint, sourceHashes } from './sources.ts'

/** The machine and the programs at work. */
export interface Machine {
  readonly adatune: string
  readonly node: string
  readonly onnxruntime: string
  readonly platform: string
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
}

/** What a run was made with. Files that it reads are told by their SHA-256, the model by its fingerprint. */
export interface Environment extends Machine {
  readonly sources: Readonly<Record<string, string>>
  readonly model: string
}

export function machine(): Machine {
  return {
    adatune: version,
    node: process.version,
    onnxruntime: runtimeVersion,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
  }
}

export const environment = (config: RunConfig, model: Model): Environment => ({
  ...machine(),
  sources: sourceHashes(config),
  model: modelFingerprint(model),
})
