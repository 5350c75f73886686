import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { findModel } from '../evaluate/find-model.ts'
import { saveModel, unmergeState } from '../formats/index.ts'
import { isHead } from '../nn/outline.ts'
import type { Folded, FoldingOptions } from './merge.ts'
import { writeVerified } from './verification.ts'

/**
 * Takes an adapter out of a model that it was merged into, and writes the model before it, once that gives the merged model's logits
 * with the adapter. The head stays the adapter's: what was there before is in neither folder.
 * @throws UserError for an adapter that trained more of the model than its head, whose values before are lost, for one that was not merged
 * into the model, and where `out` is not empty
 */
export async function unmergeAdapter({ model: id, adapter, out, notice }: FoldingOptions): Promise<Folded> {
  const merged = await findModel(id, notice)
  const { open, method, state, adapter: loaded } = openAdapted(merged, { adapter, task: null, labels: null })
  const { outline } = open
  const lost = [...state.keys()].find((name) => outline.base.has(name) && !isHead(outline, name))
  if (lost !== undefined)
    throw new UserError(`${adapter} trained "${lost}" whole, and its values before are in neither folder; take the original model.`)
  const labels = open.labels.length > 0 ? open.labels : null
  const logitGap = await writeVerified(
    out,
    openAdapted(merged, { adapter: null, task: open.description, labels }),
    (temporary) => saveModel(temporary, merged, unmergeState(merged, method, state, outline.sites), loaded!.card, outline.base),
    async (temporary) => openAdapted(await findModel(temporary), { adapter, task: open.description, labels }, notice),
  )
  return { out, logitGap }
}
