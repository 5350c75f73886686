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

/** A folder that was made of a model and an adapter. */
export interface Folded {
  readonly out: string
  /** How far its logits are at the most from those that it was made to give, on eight rows of random tokens, over the largest of these. */
  readonly logitGap: number
}

/**
 * Folds an adapter into its model and writes the result as an ordinary Hugging Face folder, once its logits are the adapter's.
 * @throws UserError for a method that does not go into the weights, where model and adapter do not fit, and where `out` is not empty
 * @example
 * const { logitGap } = await mergeAdapter({ model: 'models/minilm', adapter: 'runs/a/adapter', out: 'runs/merged' })
 */
export async function mergeAdapter({ model: id, adapter, out, notice }: FoldingOptions): Promise<Folded> {
  const model = await findModel(id, notice)
  const adapted = openAdapted(model, { adapter, task: null, labels: null }, notice)
  const { open, method, state } = adapted
  const logitGap = await writeVerified(
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
  return { out, logitGap }
}
