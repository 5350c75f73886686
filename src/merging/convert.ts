import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { findModel } from '../evaluate/open-task.ts'
import { saveAdapter } from '../formats/index.ts'
import type { Factors } from '../nn/method.ts'
import { loraBlend } from './lora-blend.ts'
import type { FoldingOptions } from './merge.ts'
import { factorsAt } from './rules/pair-rule.ts'
import type { Pair } from './svd.ts'
import { writeVerified } from './verification.ts'

const folded = ({ a, b, scale }: Factors): Pair => ({ a, b: { shape: b.shape, data: b.data.map((value) => value * scale) } })

/**
 * Writes an adapter of another low-rank method as plain LoRA, once its logits are the adapter's: singular values and scale go into B,
 * alpha is the rank, and modules without any rank are left out.
 * @throws UserError for LoRA, and for a method whose increments are no products
 */
export async function convertAdapter({ model: id, adapter: folder, out, notice }: FoldingOptions): Promise<string> {
  const model = await findModel(id, notice)
  const adapted = openAdapted(model, { adapter: folder, task: null, labels: null }, notice)
  const { open, state } = adapted
  const adapter = adapted.adapter!
  if (adapter.options.name === 'lora') throw new UserError(`${folder} is plain LoRA already; there is nothing to convert.`)
  const pairs = new Map<string, Pair>()
  for (const site of open.outline.sites) {
    const factors = factorsAt({ ...adapted, folder }, site)
    if (factors) pairs.set(site.name, folded(factors))
  }
  const { options, added } = loraBlend(pairs, [{ adapter, folder }])
  const whole = [...state].filter(([name]) => open.outline.base.has(name))
  const converted = { options, memory: null, state: new Map([...added, ...whole]), card: { ...adapter.card, totalSteps: null } }
  const seen = await writeVerified(
    out,
    adapted,
    (temporary) => saveAdapter(temporary, converted, { model, outline: open.outline }),
    async (temporary) =>
      openAdapted(model, { adapter: temporary, task: open.description, labels: open.labels.length > 0 ? open.labels : null }),
  )
  return `LoRA in ${pairs.size} modules, ranks up to ${'r' in options ? options.r : 0}, in ${out}; ${seen}.`
}
