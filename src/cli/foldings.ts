import { convertAdapter } from '../merging/convert.ts'
import { type FoldingOptions, mergeAdapter } from '../merging/merge.ts'
import { unmergeAdapter } from '../merging/unmerge.ts'

/** The commands that make a folder of a model and an adapter, once its logits are right: each tells what it has seen. */
export const foldings: Readonly<
  Record<string, { readonly make: (flags: FoldingOptions) => Promise<string>; readonly help: readonly [string, string, string, string] }>
> = {
  merge: {
    make: mergeAdapter,
    help: [
      'fold an adapter into its model: an ordinary Hugging Face folder',
      'the model the adapter was trained on',
      'saved LoRA or AdaLoRA adapter',
      'where to write the merged model',
    ],
  },
  unmerge: {
    make: unmergeAdapter,
    help: [
      'take an adapter out of a model that it was merged into',
      'the merged model',
      'the adapter that was merged',
      'where to write the model before it',
    ],
  },
  convert: {
    make: convertAdapter,
    help: [
      'an adapter as plain LoRA: AdaLoRA, and what acts on parts of a map',
      'the model the adapter was trained on',
      'saved AdaLoRA or LoRA adapter',
      'where to write the LoRA adapter',
    ],
  },
}
