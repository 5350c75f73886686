import type { Item, Label } from '../data/examples.ts'

/** What a model says of an item: the logits of each of its examples. */
export interface Answered<Own extends Item = Item> {
  readonly item: Own
  readonly logits: readonly Float32Array[]
}

/** Logits of the items' examples, one after another, with the items that they belong to. */
export function regrouped<Own extends Item>(items: readonly Own[], logits: readonly Float32Array[]): Answered<Own>[] {
  let at = 0
  return items.map((item) => {
    const from = at
    at += item.examples.length
    return { item, logits: logits.slice(from, at) }
  })
}

/** The one example that an item has. */
export function only({ item, logits }: Answered): { readonly logits: Float32Array; readonly label: Label | null } {
  return { logits: logits[0]!, label: item.examples[0]!.label }
}
