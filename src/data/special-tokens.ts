import { z } from 'zod'

/** Ids of tokens that are no text. */
export interface SpecialTokens {
  readonly all: ReadonlySet<number>
  readonly mask: number | null
  readonly unknown: number | null
}

const tokenName = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]).nullish()
const tokenNames = z.object({ mask_token: tokenName.catch(null), unk_token: tokenName.catch(null) })
const vocabulary = z.object({
  added_tokens: z.array(z.object({ id: z.number().int(), content: z.string(), special: z.boolean().default(false) })).catch([]),
  model: z.object({ unk_token: z.string().nullish() }).catch({}),
})

/** The special tokens of a tokenizer.json, named by tokenizer_config.json, else spelled as BERT's or RoBERTa's. */
export function specialTokens(json: object, config: object): SpecialTokens {
  const { added_tokens: added, model } = vocabulary.parse(json)
  const { mask_token, unk_token } = tokenNames.parse(config)
  const idOf = (...names: (string | null | undefined)[]): number | null =>
    names.flatMap((name) => added.filter(({ content }) => content === name)).at(0)?.id ?? null
  return {
    all: new Set(added.filter(({ special }) => special).map(({ id }) => id)),
    mask: idOf(mask_token, '[MASK]', '<mask>'),
    unknown: idOf(unk_token, model.unk_token, '[UNK]', '<unk>'),
  }
}
