import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import type { Recording } from './selection.ts'

const ranks = z.record(z.string(), z.number().int().nonnegative())
/** PEFT's `rank_pattern`: of AdaLoRA what was kept under the name of E, of LoRA a rank. */
const adapter = z.object({ rank_pattern: z.record(z.string(), z.union([z.array(z.boolean()), z.number().int().nonnegative()])) })
const finalRanks = z.object({ event: z.literal('ranks'), final: z.literal(true), ranks })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The last final ranks of a run's record; a line that was cut off tells nothing. */
const ofRecord = (text: string): Record<string, number> | undefined =>
  text
    .split('\n')
    .map((line) => finalRanks.safeParse(parsed(line)).data?.ranks)
    .findLast((found) => found !== undefined)

function ofAdapter(text: string): Record<string, number> | undefined {
  const pattern = adapter.safeParse(parsed(text)).data?.rank_pattern
  const entries = Object.entries(pattern ?? {}).map(([name, kept]): [string, number] => [
    name.replace(/\.lora_E(\.[^.]+)?$/, ''),
    typeof kept === 'number' ? kept : kept.filter(Boolean).length,
  ])
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

/**
 * The ranks that another run ended with, from its first update on: the control that tells what is due to the ranks from what is due to
 * the way to them. The file is an adapter's folder with a `rank_pattern`, a run's `run.jsonl` with final ranks, or JSON of ranks by module.
 */
export const replay: Recording = (file) => {
  const config = join(file, 'adapter_config.json')
  const isFolder = existsSync(config)
  let text: string
  try {
    text = readFileSync(isFolder ? config : file, 'utf8')
  } catch (error) {
    throw new UserError(`ranks: ${file} cannot be read: ${(error as Error).message}; give an adapter's folder, a run.jsonl or JSON.`)
  }
  const found = isFolder ? ofAdapter(text) : (ranks.safeParse(parsed(text)).data ?? ofRecord(text))
  if (!found) {
    throw new UserError(
      `ranks: ${file} holds no final ranks; give an AdaLoRA adapter's folder, the run.jsonl of a finished run, or JSON like {"module": 3}.`,
    )
  }
  return new Map(Object.entries(found))
}
