import { openAdapted } from '../evaluate/adapted.ts'
import { findModel } from '../evaluate/find-model.ts'
import { mergeState, saveModel } from '../formats/index.ts'
import { writeVerified } from './verification.ts'

export interface FoldingOptions {
  /** A model folder, or the name of one on the hub. */
  readonly model: string
  readonly adapter: string
  /** A folder that does not exist or is empty. */
  readonly out: string
  /** Told of downloads, and of what is odd about the adapter. */
  readonly notice?: (text: string) => void
}

/** Folds an adapter into its model and writes the result as an ordinary Hugging Face folder, once its logits are the adapter's. */
export async function mergeAdapter({ model: id, adapter, out, notice }: FoldingOptions): Promise<string> {
  const model = await findModel(id, notice)
  const adapted = openAdapted(model, { adapter, task: null, labels: null }, notice)
  const { open, method, state } = adapted
  const seen = await writeVerified(
    out,
    adapted,
    (temporary) =>
      saveModel(temporary, model, mergeState(model, method, state, open.outline.sites), adapted.adapter!.card, open.outline.base),
    async (temporary) =>
      openAdapted(await findModel(temporary), {
        adapter: null,
        task: open.description,
        labels: open.labels.length > 0 ? open.labels : null,
      }),
  )
  return `Merged into ${out}; ${seen}.`
}
