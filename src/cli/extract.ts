import { type Extraction, extractAdapter } from '../merging/extract.ts'
import { logitGapText } from '../merging/verification.ts'
import type { Define } from './commands.ts'
import { positiveFlag, printNotice } from './options.ts'

interface ExtractFlags {
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
    `On random rows its logits ${logitGapText(logitGap)} from those of ${tuned}.`,
  ]
  const warning = `Left out, as no LoRA of these targets can hold it: ${percent(share)} of the squared difference, in ${tensors.length} tensors: ${tensors.slice(0, SHOWN).join(', ')}${more}.`
  return [...lines, ...(tensors.length > 0 ? [warning] : [])].join('\n')
}

/** Extracts a LoRA; returns what was done as text, or as a line of JSON. */
async function extractCommand({ json, task, labels, ...flags }: ExtractFlags): Promise<string> {
  const extraction = await extractAdapter({
    ...flags,
    r: positiveFlag('r', flags.r),
    task: task ?? null,
    labels: labels?.split(',').map((name) => name.trim()) ?? null,
    notice: printNotice,
  })
  return `${json ? JSON.stringify(extraction) : textOf(extraction, flags.tuned)}\n`
}

export const defineExtract: Define = (command) =>
  command
    .requiredOption('--base <folder or id>', 'the model before')
    .requiredOption('--tuned <folder or id>', 'the model after')
    .requiredOption('--r <rank>', 'the rank of the LoRA')
    .option('--targets <modules>', 'all-linear, names with commas between, or an expression', 'all-linear')
    .option('--task <task>', 'needed where the tuned model has a head and does not tell what for')
    .option('--labels <names>', 'class names in order, comma-separated')
    .option('--json', 'print an object')
    .requiredOption('--out <folder>', 'where to write the adapter')
    .action(async (flags: ExtractFlags) => void process.stdout.write(await extractCommand(flags)))
