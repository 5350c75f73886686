import { z } from 'zod'

const specialToken = z.tuple([z.string(), z.number().int()])
const piece = z.union([
  z.object({ SpecialToken: z.object({ id: z.string(), type_id: z.number().int().default(0) }) }),
  z.object({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: z.number().int().default(0) }) }),
])
const template = z.object({
  type: z.literal('TemplateProcessing'),
  single: z.array(piece),
  pair: z.array(piece),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(z.number().int()) })),
})
const bert = z.object({ type: z.enum(['BertProcessing', 'RobertaProcessing']), cls: specialToken, sep: specialToken })
const byteLevel = z.object({ type: z.literal('ByteLevel') })
const step = z.discriminatedUnion('type', [template, bert, byteLevel])
const sequence = z.object({ type: z.literal('Sequence'), processors: z.array(step) })

/** The `post_processor` of a tokenizer.json. */
export const postProcessor = z.union([step, sequence]).nullish()
export type PostProcessor = z.infer<typeof postProcessor>

/** A stretch of a finished row: given tokens, or those of the first (A) or second (B) text; `type` is their token type. */
export type Piece = { readonly ids: readonly number[]; readonly type: number } | { readonly text: 'A' | 'B'; readonly type: number }

/** How a single text and a pair are laid out with their special tokens. */
export interface TokenFrame {
  readonly single: readonly Piece[]
  readonly pair: readonly Piece[]
}

const bare: TokenFrame = {
  single: [{ text: 'A', type: 0 }],
  pair: [
    { text: 'A', type: 0 },
    { text: 'B', type: 1 },
  ],
}

function templateFrame({ single, pair, special_tokens }: z.infer<typeof template>): TokenFrame {
  const specials = new Map(Object.entries(special_tokens))
  const pieceOf = (item: z.infer<typeof piece>): Piece =>
    'Sequence' in item
      ? { text: item.Sequence.id, type: item.Sequence.type_id }
      : { ids: specials.get(item.SpecialToken.id)?.ids ?? [], type: item.SpecialToken.type_id }
  return { single: single.map(pieceOf), pair: pair.map(pieceOf) }
}

/** RoBERTa sets two separators between the texts, and every token type to 0. */
function bertFrame({ type, cls, sep }: z.infer<typeof bert>): TokenFrame {
  const roberta = type === 'RobertaProcessing'
  const second = roberta ? 0 : 1
  const start: Piece = { ids: [cls[1]], type: 0 }
  const end: Piece = { ids: [sep[1]], type: 0 }
  const between: Piece[] = roberta ? [end, end] : [end]
  return {
    single: [start, { text: 'A', type: 0 }, end],
    pair: [start, { text: 'A', type: 0 }, ...between, { text: 'B', type: second }, { ids: [sep[1]], type: second }],
  }
}

/** The layout a post-processor asks for; the last of a sequence that adds tokens counts. Byte-level processors move offsets only. */
export function tokenFrame(processor: PostProcessor): TokenFrame {
  if (!processor || processor.type === 'ByteLevel') return bare
  if (processor.type === 'Sequence') return tokenFrame(processor.processors.findLast(({ type }) => type !== 'ByteLevel'))
  return processor.type === 'TemplateProcessing' ? templateFrame(processor) : bertFrame(processor)
}
