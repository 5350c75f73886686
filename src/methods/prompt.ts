import { z } from 'zod'
import { UserError } from '../errors.ts'
import { greater, sub, where } from '../graph/ops/elementwise.ts'
import { oneHot } from '../graph/ops/indexing.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reshape } from '../graph/ops/movement.ts'
import type { Method, ParameterSpec } from '../nn/method.ts'
import type { EmbeddingSite, Site } from '../nn/site.ts'
import { stream } from '../random/draws.ts'
import { budgetOption } from './budget-option.ts'
import { defineMethod, type Setting } from './definition.ts'
import { normal } from './initial.ts'

export const promptOptions = z.strictObject({
  name: z.literal('prompt'),
  tokens: z.number().int().positive('must be at least 1').default(20),
  /** Where the virtual tokens start: words drawn from the vocabulary, normal numbers, or the words of `text`, over and over. */
  init: z.enum(['vocabulary', 'random', 'text']).default('vocabulary'),
  text: z.string().min(1).nullable().default(null),
  budget: budgetOption,
})
export type PromptOptions = z.infer<typeof promptOptions>

/** The first values of a prompt `[tokens, hidden]` at the word embeddings. */
function initial(
  { tokens, init, text }: PromptOptions,
  { name, hidden }: EmbeddingSite,
  { tensor, encode }: Setting,
): ParameterSpec['init'] {
  if (init === 'random') return normal([tokens, hidden], 1)
  return (key) => {
    const table = tensor(`${name}.weight`)
    if (!table)
      throw new UserError(`prompt: init "${init}" takes the model's word embeddings, and it has no "${name}.weight"; set init: random.`)
    const { below } = stream(key)
    const words = init === 'text' ? encode(text!) : Array.from({ length: tokens }, () => below(table.shape[0]!))
    const prompt = new Float32Array(tokens * hidden)
    for (let i = 0; i < tokens; i++) {
      const word = words[i % words.length]!
      prompt.set(table.data.subarray(word * hidden, (word + 1) * hidden), i * hidden)
    }
    return prompt
  }
}

/**
 * Prompt tuning (Lester et al. 2021): learned word embeddings of virtual tokens before each row. Their positions come first and the
 * text's run on; a head that looks at the first token sees the first virtual one, as in HF PEFT.
 */
export const prompt = defineMethod<PromptOptions>({
  name: 'prompt',
  summary: 'learned words before the text (Lester et al. 2021)',
  options: promptOptions,
  // PEFT's guide to prompt tuning trains at 3e-2.
  learningRate: 3e-2,
  resize: (options, tokens) => ({ ...options, tokens, budget: null }),
  create(options, setting): Method {
    const { tokens, init, text } = options
    if ((init === 'text') !== (text !== null)) {
      throw new UserError(
        init === 'text' ? 'prompt: init: text needs the words in "text".' : `prompt: "text" is of use with init: text alone.`,
      )
    }
    const acts = (site: Site): site is EmbeddingSite => site.kind === 'embedding'
    return {
      name: 'prompt',
      passes: 1,
      consistency: 0,
      lazy: false,
      sequence: { virtualTokens: tokens, positionShift: 0 },
      parameters: (site): Record<string, ParameterSpec> =>
        acts(site) ? { 'prompt.weight': { shape: [tokens, site.hidden], init: initial(options, site, setting) } } : {},
      embedding(_site, roles, { ids, value }) {
        const index = sub(-1, ids)
        const learned = gemm(oneHot(index, tokens), roles['prompt.weight']!)
        return where(greater(reshape(index, [...index.shape, 1]), -1), learned, value)
      },
      trains: () => false,
    }
  },
})
