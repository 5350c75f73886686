import type { Summary } from '../compare/summary.ts'
import { readFields } from '../json-file.ts'
import type { Machine } from '../train/environment.ts'
import type { Verdict } from './verdict.ts'

/** What is kept of a claim that was tried. */
export interface ClaimRecord {
  readonly name: string
  readonly form: 'quick' | 'full'
  readonly claim: string
  readonly paper: string
  readonly source: string
  readonly figures: readonly string[]
  readonly notes: string | null
  readonly command: string
  readonly machine: Machine
  readonly verdict: Verdict
  /** Tables, each with the header as its first row. */
  readonly tables: readonly (readonly (readonly string[])[])[]
  readonly footing: string
  /** Of the comparison or measurement, as set. */
  readonly settings: unknown
  /** Null for a measurement. */
  readonly summary: Summary | null
}

/** The name that a claim's form has among results. */
export const recordName = ({ name, quick }: { readonly name: string; readonly quick: boolean }): string => (quick ? `${name}-quick` : name)

export const readRecord = (file: string): ClaimRecord => readFields(file) as unknown as ClaimRecord
