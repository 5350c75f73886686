import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { findModel } from '../evaluate/find-model.ts'
import { saveAdapter } from '../formats/index.ts'
import { loraBlend } from './lora-blend.ts'
import type { Folded, FoldingOptions } from './merge.ts'
import { largestRank } from './svd.ts'
import { writeVerified } from './verification.ts'
import { wholePairs } from './whole-pairs.ts'

/** A low-rank adapter as plain LoRA. */
export interface Conversion extends Folded {
  /** The rank of the LoRA, in its largest module. */
  readonly r: number
  /** The modules that it acts on. */
  readonly modules: readonly string[]
}

/**
 * Writes a low-rank adapter as plain LoRA on whole maps, as HF PEFT has it, once its logits are the adapter's: singular values and scale
 * go into B, alpha is the rank, modules without any rank are left out, and what acts on parts of a map becomes one of their summed rank.
 * @throws UserError for LoRA on whole maps, for a method whose increments are no products, and where `out` is not empty
 */
export async function convertAdapter({ model: id, adapter: folder, out, notice }: FoldingOptions): Promise<Conversion> {
  const model = await findModel(id, notice)
  const adapted = openAdapted(model, { adapter: folder, task: null, labels: null }, notice)
  const { open, state } = adapted
  const adapter = adapted.adapter!
  const { sites } = open.outline
  const inParts = sites.some((site) => site.kind === 'linear' && site.within && Object.keys(adapted.method.parameters(site)).length > 0)
  if (adapter.options.name === 'lora' && !inParts) throw new UserError(`${folder} is plain LoRA already; there is nothing to convert.`)
  const pairs = wholePairs({ ...adapted, folder }, sites)
  const { options, added } = loraBlend(pairs, [{ adapter, folder }])
  const whole = [...state].filter(([name]) => open.outline.base.has(name))
  const converted = { options, memory: null, state: new Map([...added, ...whole]), card: { ...adapter.card, totalSteps: null } }
  const logitGap = await writeVerified(
    out,
    adapted,
    (temporary) => saveAdapter(temporary, converted, { model, outline: open.outline }),
    async (temporary) =>
      openAdapted(model, { adapter: temporary, task: open.description, labels: open.labels.length > 0 ? open.labels : null }),
  )
  return { out, logitGap, r: largestRank(pairs.values()), modules: [...pairs.keys()] }
}
