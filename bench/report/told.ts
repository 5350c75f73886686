import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Drawing } from '../../src/compare/report/drawing.ts'
import { root } from '../training/trained-run.ts'
import type { Circumstances } from './circumstances.ts'

/** Something that was measured at one time. */
export interface Entry extends Circumstances {
  readonly what: string
  readonly command: string
}

/** What a measurement found, as it is told beside its results and in docs/performance.md. */
export interface Told {
  readonly title: string
  /** What was measured, how its numbers are to be read, and tables of them. */
  readonly text: string
  readonly measured: readonly Entry[]
  /** The commands that measure what is still missing. */
  readonly missing: readonly string[]
  /** By the name of their file. */
  readonly drawings: Readonly<Record<string, readonly Drawing[]>>
}

/** The file of a measurement's results, by what follows `npm run bench --`. */
export const resultsFile = (name: string, folder = join(root, 'bench/results')): string => join(folder, `${name}.json`)

/** Keeps results as JSON, and beside it what they tell. */
export function keepResults(name: string, results: object, { title, text }: Told, folder?: string): void {
  const file = resultsFile(name, folder)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(file.replace(/json$/, 'md'), `# ${title}\n\n${text}\n`)
}
