import { z } from 'zod'

/** What is used of tokenizer_config.json. */
export const tokenizerConfig = z.looseObject({
  do_lower_case: z.boolean().optional(),
  keep_accents: z.boolean().optional(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().optional(),
  split_by_punct: z.boolean().optional(),
  add_prefix_space: z.boolean().nullish(),
  legacy: z.boolean().nullish(),
  extra_ids: z.number().int().nonnegative().optional(),
  added_tokens_decoder: z
    .record(
      z.string().regex(/^\d+$/),
      z.object({
        content: z.string(),
        special: z.boolean().default(false),
        normalized: z.boolean().default(true),
        lstrip: z.boolean().default(false),
        rstrip: z.boolean().default(false),
      }),
    )
    .optional(),
})
export type TokenizerConfig = z.infer<typeof tokenizerConfig>

/** A token that stays whole. */
export interface AddedToken {
  readonly content: string
  readonly special: boolean
  readonly normalized: boolean
  readonly lstrip?: boolean
  readonly rstrip?: boolean
}

export const special = (content: string, flags: Partial<AddedToken> = {}): AddedToken => ({
  ...{ content, special: true, normalized: false },
  ...flags,
})

/** Files that hold a vocabulary, and how Hugging Face makes a fast tokenizer of them. */
export interface VocabularyFiles {
  readonly files: readonly string[]
  /** The tokenizer.json of the files' contents. Throws where they are no such files. */
  readonly read: (contents: readonly Buffer[], config: TokenizerConfig) => object
}

/** Tokens with their ids: those of the vocabulary, and after it those that it lacks; what the config says of them counts. */
export function withAdded(
  tokens: readonly AddedToken[],
  ids: ReadonlyMap<string, number>,
  { added_tokens_decoder: decoder = {} }: TokenizerConfig,
): (AddedToken & { readonly id: number })[] {
  const told = Object.entries(decoder).map(([id, token]) => ({ id: Number(id), ...token }))
  let next = ids.size
  const own = tokens
    .filter(({ content }) => told.every((token) => token.content !== content))
    .map((token) => ({ id: ids.get(token.content) ?? next++, ...token }))
  return [...own, ...told].sort((a, b) => a.id - b.id)
}
