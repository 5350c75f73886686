import { convertAdapter } from '../merging/convert.ts'
import { type FoldingOptions, mergeAdapter } from '../merging/merge.ts'
import { unmergeAdapter } from '../merging/unmerge.ts'
import type { Define } from './commands.ts'
import { printNotice } from './options.ts'

/** A command that makes a folder of a model and an adapter, once its logits are right; it tells what it has seen. */
const folding =
  (
    make: (options: FoldingOptions) => Promise<string>,
    help: { readonly model: string; readonly adapter: string; readonly out: string },
  ): Define =>
  (command) =>
    command
      .requiredOption('--model <folder or id>', help.model)
      .requiredOption('--adapter <folder>', help.adapter)
      .requiredOption('--out <folder>', help.out)
      .action(async (flags: FoldingOptions) => void process.stdout.write(`${await make({ ...flags, notice: printNotice })}\n`))

export const defineMerge = folding(mergeAdapter, {
  model: 'the model the adapter was trained on',
  adapter: 'saved adapter of a method that goes into the weights: not bottlenecks, prompts or prefixes',
  out: 'where to write the merged model',
})

export const defineUnmerge = folding(unmergeAdapter, {
  model: 'the merged model',
  adapter: 'the adapter that was merged',
  out: 'where to write the model before it',
})

export const defineConvert = folding(convertAdapter, {
  model: 'the model the adapter was trained on',
  adapter: 'saved AdaLoRA or LoRA adapter',
  out: 'where to write the LoRA adapter',
})
