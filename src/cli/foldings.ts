import { PROBE_ROWS } from '../evaluate/probe-rows.ts'
import { convertAdapter } from '../merging/convert.ts'
import { type Folded, type FoldingOptions, mergeAdapter } from '../merging/merge.ts'
import { unmergeAdapter } from '../merging/unmerge.ts'
import { logitGapText } from '../merging/verification.ts'
import type { Define } from './commands.ts'
import { printNotice } from './options.ts'

interface Folding<Made extends Folded> {
  readonly make: (options: FoldingOptions) => Promise<Made>
  /** What was made, as a sentence begins. */
  readonly told: (made: Made) => string
  readonly help: { readonly model: string; readonly adapter: string; readonly out: string }
}

/** A command that makes a folder of a model and an adapter, once its logits are right; it tells what it has seen. */
const folding =
  <Made extends Folded>({ make, told, help }: Folding<Made>): Define =>
  (command) =>
    command
      .requiredOption('--model <folder or id>', help.model)
      .requiredOption('--adapter <folder>', help.adapter)
      .requiredOption('--out <folder>', help.out)
      .action(async (flags: FoldingOptions) => {
        const made = await make({ ...flags, notice: printNotice })
        process.stdout.write(`${told(made)} on ${PROBE_ROWS} rows its logits ${logitGapText(made.logitGap)}.\n`)
      })

export const defineMerge = folding({
  make: mergeAdapter,
  told: ({ out }) => `Merged into ${out};`,
  help: {
    model: 'the model the adapter was trained on',
    adapter: 'saved adapter of a method that goes into the weights: not bottlenecks, prompts or prefixes',
    out: 'where to write the merged model',
  },
})

export const defineUnmerge = folding({
  make: unmergeAdapter,
  told: ({ out }) => `Unmerged into ${out}; with the adapter`,
  help: {
    model: 'the merged model',
    adapter: 'the adapter that was merged',
    out: 'where to write the model before it',
  },
})

export const defineConvert = folding({
  make: convertAdapter,
  told: ({ out, modules, r }) => `LoRA in ${modules.length} modules, ranks up to ${r}, in ${out};`,
  help: {
    model: 'the model the adapter was trained on',
    adapter: 'saved AdaLoRA or LoRA adapter',
    out: 'where to write the LoRA adapter',
  },
})
