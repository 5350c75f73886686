import { spawnSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { runtimeVersion } from '../../src/runtime/node.ts'

/** Where, when and with what something was measured. What was measured before all of it was kept has less. */
export interface Circumstances {
  readonly machine: string | { readonly processor: string; readonly cores: number; readonly memoryGB: number }
  readonly versions?: Readonly<Record<string, string>>
  /** Null outside of a working copy. */
  readonly commit?: string | null
  readonly date?: string
}

const git = (...args: string[]) => spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' })

/** The commit that the working copy is at, and whether what is measured differs from it. */
function commit(): string | null {
  const head = git('rev-parse', '--short=12', 'HEAD')
  if (head.status !== 0) return null
  const changed = git('status', '--porcelain', '--', ':/src', ':/bin', ':/bench', ':/!bench/results', ':/package-lock.json').stdout !== ''
  return `${head.stdout.trim()}${changed ? ' with changes' : ''}`
}

/** Those of this moment. */
export const circumstances = (): Required<Circumstances> => ({
  machine: { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGB: Math.round(totalmem() / 1e9) },
  versions: { node: process.version, onnxruntime: runtimeVersion },
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
})

/** The processor, by which results are kept apart: ratios between programs differ from one kind to the next. */
export const processorOf = ({ machine }: Circumstances): string => (typeof machine === 'string' ? machine : machine.processor)

/** Machine and versions in a line. */
export function machineText({ machine, versions = {} }: Circumstances): string {
  const place = typeof machine === 'string' ? machine : `${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB`
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return programs.length > 0 ? `${place}; ${programs.join(', ')}` : place
}
