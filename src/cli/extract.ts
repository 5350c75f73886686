import { type Extraction, extractAdapter } from '../merging/extract.ts'
import { gapText } from '../merging/verification.ts'
import { positiveFlag } from './options.ts'

export interface ExtractFlags {
  readonly base: string
  readonly tuned: string
  readonly r: string
  readonly targets?: string
  readonly task?: string
  readonly labels?: string
  readonly json?: boolean
  readonly out: string
}

const SHOWN = 3
const percent = (share: number): string => `${(100 * share).toPrecision(4)}%`

function textOf({ out, r, kept, modules, leftOut, head, logitGap }: Extraction, tuned: string): string {
  const { tensors, share } = leftOut
  const more = tensors.length > SHOWN ? ` and ${tensors.length - SHOWN} more` : ''
  const lines = [
    `LoRA of rank ${r} in ${modules.length} modules${head ? ', with the head,' : ''} in ${out}; of the squared difference it keeps`,
    ...modules.map((one) => `  ${percent(one.kept)} in ${one.module}`),
    `  ${percent(kept)} in all.`,
    `On random rows its logits ${gapText(logitGap)} from those of ${tuned}.`,
  ]
  const warning = `Left out, as no LoRA of these targets can hold it: ${percent(share)} of the squared difference, in ${tensors.length} tensors: ${tensors.slice(0, SHOWN).join(', ')}${more}.`
  return [...lines, ...(tensors.length > 0 ? [warning] : [])].join('\n')
}

/** Extracts a LoRA; returns what was done as text, or as a line of JSON. */
export async function extractCommand({ json, task, labels, ...flags }: ExtractFlags): Promise<string> {
  const extraction = await extractAdapter({
    ...flags,
    r: positiveFlag('r', flags.r),
    task: task ?? null,
    labels: labels?.split(',').map((name) => name.trim()) ?? null,
  })
  return `${json ? JSON.stringify(extraction) : textOf(extraction, flags.tuned)}\n`
}
