import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import { greater, sub, where } from '../graph/ops/elementwise.ts'
import { oneHot } from '../graph/ops/indexing.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reshape } from '../graph/ops/movement.ts'
import { type Method, type ParameterSpec, parameterName, type Tensor, unmixed } from '../nn/method.ts'
import { type EmbeddingCall, type EmbeddingSite, modelSite, type Site } from '../nn/site.ts'
import { stream } from '../random/draws.ts'
import { inGraph, onHost } from './algebra.ts'
import { budgetOption } from './budget-option.ts'
import { defineMethod, type Setting } from './definition.ts'
import { normal, uniform } from './initial.ts'
import { promptEncoders } from './prompt-encoder.ts'

export const promptOptions = z.strictObject({
  name: z.literal('prompt'),
  tokens: z.number().int().positive('must be at least 1').default(20).describe('virtual tokens'),
  init: z
    .enum(['vocabulary', 'random', 'text'])
    .nullable()
    .default(null)
    .describe(
      'start at words of the vocabulary, random numbers, or the words of a text, over and over; null: the vocabulary, with an encoder random numbers',
    ),
  text: z.string().min(1).nullable().default(null).describe('the words of `init: text`, such as the task in one sentence'),
  encoder: z.enum(['none', 'mlp', 'lstm']).default('none').describe('a network that makes the tokens in training (P-tuning)'),
  width: z.number().int().positive('must be at least 1').nullable().default(null).describe("of the encoder; null: the model's hidden size"),
  depth: z.number().int().positive('must be at least 1').default(2).describe('layers of the `lstm`'),
  place: z
    .enum(['words', 'embedded'])
    .default('words')
    .describe("words, which have positions and pass the norm, or behind the embeddings' norm and dropout, the text keeping its positions"),
  computed: z.boolean().default(false).describe('whether the encoder has been carried out, as in a saved adapter'),
  budget: budgetOption,
})
export type PromptOptions = z.infer<typeof promptOptions>

/** Where the virtual tokens, or what enters their encoder, start. */
export const promptStart = ({ init, encoder }: PromptOptions): NonNullable<PromptOptions['init']> =>
  init ?? (encoder === 'none' ? 'vocabulary' : 'random')

const isEmbedding = (site: Site): site is EmbeddingSite => site.kind === 'embedding'
const isWords = (site: Site): site is EmbeddingSite => isEmbedding(site) && !site.whole

/** The first values of a prompt `[tokens, hidden]`. */
function initial(options: PromptOptions, { sites, tensor, encode }: Setting): ParameterSpec['init'] {
  const { tokens, text, place } = options
  const { name, hidden } = sites.find(isWords)!
  const init = promptStart(options)
  // What follows a norm is smaller; adapter-hub's start.
  if (init === 'random') return place === 'words' ? normal([tokens, hidden], 1) : uniform([tokens, hidden], 0.5)
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

/** Puts learned rows `[tokens, hidden]` in the places of the virtual tokens. */
function placed(learned: Value, { ids, value }: EmbeddingCall): Value {
  const index = sub(-1, ids)
  const rows = gemm(oneHot(index, learned.shape[0] as number), learned)
  return where(greater(reshape(index, [...index.shape, 1]), -1), rows, value)
}

const plainly = ({ tokens, place }: PromptOptions) =>
  ({
    name: 'prompt',
    ...unmixed,
    sequence: { virtualTokens: tokens, positionShift: place === 'words' ? 0 : -tokens },
    trains: () => false,
  }) as const

const PROMPT = 'prompt.weight'

/** The virtual tokens themselves. */
function direct(options: PromptOptions, setting: Setting): Method {
  const whole = options.place === 'embedded'
  return {
    ...plainly(options),
    parameters: (site): Record<string, ParameterSpec> =>
      isEmbedding(site) && (site.whole ?? false) === whole
        ? { [PROMPT]: { shape: [options.tokens, site.hidden], init: initial(options, setting) } }
        : {},
    embedding: (_site, roles, call) => placed(roles[PROMPT]!, call),
  }
}

/** Virtual tokens made by a network at the site of the model. */
function encoded(options: PromptOptions, kind: keyof typeof promptEncoders, setting: Setting): Method {
  const { tokens, width, depth } = options
  const { hidden, sites } = setting
  const words = sites.find(isWords)!
  const encoder = promptEncoders[kind]
  const sizes = { tokens, hidden, width: width ?? hidden, depth }
  const specs: Record<string, ParameterSpec> = {
    'tokens.weight': { shape: [tokens, hidden], init: initial(options, setting) },
    ...encoder.parameters(sizes),
  }
  return {
    ...plainly(options),
    shared: ['output'],
    parameters: (site) => (site.kind === 'model' ? specs : {}),
    model: (_site, roles) => ({ [PROMPT]: encoder.encode(inGraph, roles, roles['tokens.weight']!, sizes) }),
    embedding: (site, _roles, call) => (isWords(site) ? placed(call.shared[PROMPT]!, call) : call.value),
    deploy(state) {
      const roles = Object.entries(specs).flatMap(([role]) => {
        const tensor = state.get(parameterName(modelSite, role))
        return tensor ? [[role, tensor] as const] : []
      })
      const left = new Map([...state].filter(([name]) => !name.startsWith(`${modelSite.name}.`)))
      const all: Record<string, Tensor> = Object.fromEntries(roles)
      if (all['tokens.weight']) left.set(parameterName(words, PROMPT), encoder.encode(onHost, all, all['tokens.weight'], sizes))
      return { method: direct(options, setting), state: left }
    },
  }
}

/**
 * Prompt tuning (Lester et al. 2021): learned word embeddings of virtual tokens before each row. Their positions come first and the
 * text's run on; a head that looks at the first token sees the first virtual one, as in HF PEFT. With an encoder it is P-tuning.
 */
export const prompt = defineMethod<PromptOptions>({
  name: 'prompt',
  summary: 'learned words before the text (Lester et al. 2021), P-tuning with an encoder',
  options: promptOptions,
  // PEFT's guides: prompt tuning at 3e-2, P-tuning at 1e-3.
  learningRate: ({ encoder, computed }) => (encoder === 'none' || computed ? 3e-2 : 1e-3),
  plain: ({ options, memory }) => ({ options: options.encoder === 'none' ? options : { ...options, computed: true }, memory }),
  form: ({ place }) => ({ place }),
  size: ({ tokens }) => `tokens ${tokens}`,
  resize: (options, tokens) => ({ ...options, tokens, budget: null }),
  create(options, setting): Method {
    const { text, encoder, computed, place } = options
    if (place === 'embedded' && encoder !== 'none')
      throw new UserError(`prompt: an encoder makes words; set place: words, or encoder: none.`)
    if (!setting.sites.some((site) => isEmbedding(site) && (site.whole ?? false) === (place === 'embedded')))
      throw new UserError(`prompt: this model has no place behind the norm of its embeddings; set place: words.`)
    const fromText = promptStart(options) === 'text'
    if (fromText !== (text !== null)) {
      throw new UserError(fromText ? 'prompt: init: text needs the words in "text".' : `prompt: "text" is of use with init: text alone.`)
    }
    return encoder === 'none' || computed ? direct(options, setting) : encoded(options, encoder, setting)
  },
})
