import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { type Fields, readFields } from '../json-file.ts'
import type { MethodOptions } from '../methods/index.ts'
import { type PrefixOptions, prefixOptions } from '../methods/prefix.ts'
import { type PromptOptions, promptOptions, promptStart } from '../methods/prompt.ts'
import type { Model } from '../models/open.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { KeyValueSite, Site } from '../nn/site.ts'
import { leadingPart } from '../nn/tensor.ts'
import { writeText } from '../weights/atomic-file.ts'
import type { Adapter, Card, Format, Subject, Warn } from './adapter.ts'
import { addedBy, methodOf } from './adapter.ts'
import { hubName } from './card.ts'
import { joined, separated } from './columns.ts'
import { peftCard } from './peft-card.ts'
import { isPeftFloat } from './peft-config.ts'
import { modulesToSave, peftTasks, savedTensors, taskType } from './peft-head.ts'
import { PEFT_CONFIG, PEFT_TENSORS, PEFT_VERSION } from './peft-version.ts'
import { type Json, pythonJson } from './python-json.ts'
import { readStored, type Stored, tensorFile, writeStored } from './stored-tensors.ts'

/** PEFT's one tensor for all that a prompt or prefix learns. */
const LEARNED = 'prompt_embeddings'

type Options = PromptOptions | PrefixOptions
const kinds = { PROMPT_TUNING: 'prompt', P_TUNING: 'prompt', PREFIX_TUNING: 'prefix' } as const
type Kind = keyof typeof kinds

const starts = { RANDOM: 'random', SAMPLE_VOCAB: 'vocabulary', TEXT: 'text' } as const
const startOf = (options: PromptOptions): string => Object.entries(starts).find(([, name]) => name === promptStart(options))![0]

const encoders = { MLP: 'mlp', LSTM: 'lstm' } as const

const isAttention = (site: Site): site is KeyValueSite => site.kind === 'keyValue'

/** An encoder and decoder are two; of a prompt's rows, PEFT uses those for the first. */
const submodulesOf = ({ wiring }: Model): number => (wiring.decoder ? 2 : 1)
const idleRows = (kind: string, submodules: number, tokens: number): number => (kind === 'prompt' ? (submodules - 1) * tokens : 0)

/** Numbers of a virtual token: of a word, or of the keys in one layer. */
function widthOf(method: Options['name'], { model, outline }: Subject): number {
  const { heads, headSize } = outline.sites.find(isAttention)!
  return method === 'prefix' ? heads * headSize : model.wiring.hidden
}

/** Where PEFT keeps the tensors: the learned ones as one, and the modules saved whole under the model with its head. */
function stored(method: Method, subject: Subject, saved: readonly string[], submodules: number): Stored[] {
  const parts = addedBy(method, subject)
  const width = parts.reduce((sum, { shape }) => sum + shape[1]!, 0)
  const tokens = parts[0]!.shape[0]!
  return [
    { name: LEARNED, as: [LEARNED], shape: [tokens + idleRows(method.name, submodules, tokens), width] },
    ...savedTensors(saved, subject).map(
      (name): Stored => ({ name, as: [`base_model.${name}`], shape: subject.outline.base.get(name)!.shape }),
    ),
  ]
}

/** `modules_to_save`: PEFT puts the task's down twice for these methods. */
function savedModules(card: Card, trained: readonly string[]): string[] | null {
  const all = modulesToSave(card.task, trained)
  const standard = peftTasks.get(taskType(card.task) ?? '')?.modules ?? []
  return all && [...all.filter((module) => !standard.includes(module)), ...standard, ...standard]
}

function configOf(options: Options, card: Card, saved: readonly string[] | null, { model, outline }: Subject): Record<string, Json> {
  const { hidden } = model.wiring
  const { heads, sharing } = outline.sites.find(isAttention)!
  const common = {
    auto_mapping: null,
    base_model_name_or_path: hubName(card.baseModel),
    inference_mode: true,
    modules_to_save: saved,
    num_attention_heads: options.name === 'prefix' ? heads : heads * sharing,
    num_layers: model.wiring.layers,
    num_transformer_submodules: submodulesOf(model),
    num_virtual_tokens: options.tokens,
    peft_version: PEFT_VERSION,
    revision: null,
    task_type: taskType(card.task),
    token_dim: widthOf(options.name, { model, outline }),
  }
  if (options.name === 'prompt' && options.encoder !== 'none') {
    const encoder = {
      encoder_dropout: 0,
      encoder_hidden_size: options.width ?? hidden,
      encoder_num_layers: options.depth,
      encoder_reparameterization_type: options.encoder.toUpperCase(),
    }
    return { ...common, ...encoder, peft_type: 'P_TUNING' }
  }
  if (options.name === 'prompt') {
    const init = { prompt_tuning_init: startOf(options), prompt_tuning_init_text: options.text }
    // PEFT asks for the tokenizer's name where a text is given.
    const tokenizer = { tokenizer_kwargs: null, tokenizer_name_or_path: options.init === 'text' ? (hubName(card.baseModel) ?? '') : null }
    return { ...common, ...init, ...tokenizer, peft_type: 'PROMPT_TUNING' }
  }
  const projection = { encoder_hidden_size: options.width ?? common.token_dim, init_weights: null, prefix_projection: false }
  return { ...common, ...projection, peft_type: 'PREFIX_TUNING' }
}

/** Zeros below what is learned. */
const withIdle = ({ shape, data }: Tensor, rows: number): Tensor => {
  const [own, width] = shape as [number, number]
  const all = new Float32Array((own + rows) * width)
  all.set(data)
  return { shape: [own + rows, width], data: all }
}

function write(folder: string, { options, state, card }: Adapter, subject: Subject): void {
  const method = methodOf({ options, memory: null }, subject)
  const saved = savedModules(
    card,
    [...state.keys()].filter((name) => subject.outline.base.has(name)),
  )
  const submodules = submodulesOf(subject.model)
  const learned = withIdle(
    joined(addedBy(method, subject).map(({ name }) => state.get(name)!)),
    idleRows(options.name, submodules, (options as Options).tokens),
  )
  const source = (name: string): Tensor | undefined => (name === LEARNED ? learned : state.get(name))
  writeStored(join(folder, PEFT_TENSORS[0]), stored(method, subject, saved ?? [], submodules), source, { format: 'pt' })
  writeText(join(folder, PEFT_CONFIG), pythonJson(configOf(options as Options, card, saved, subject), isPeftFloat))
}

const size = z.number().int().positive()
const fields = z.object({
  num_virtual_tokens: size,
  num_transformer_submodules: size.nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  prompt_tuning_init: z.enum(Object.keys(starts) as (keyof typeof starts)[]).default('RANDOM'),
  prompt_tuning_init_text: z.string().nullish(),
  encoder_hidden_size: size.nullish(),
  encoder_num_layers: size.default(2),
  encoder_reparameterization_type: z.enum(Object.keys(encoders) as (keyof typeof encoders)[]).default('MLP'),
})

/** Fields that say nothing about what the adapter computes once its tensors are read. */
const idle = new Set(
  `auto_mapping base_model_name_or_path encoder_dropout inference_mode init_weights num_attention_heads num_layers peft_type peft_version prefix_projection
  revision task_type token_dim tokenizer_kwargs tokenizer_name_or_path`.split(/\s+/),
)

interface Told {
  readonly options: Options
  readonly saved: readonly string[]
  readonly submodules: number
}

/**
 * The options that a PEFT config stands for. A saved projection or encoder has been carried out, so that keys and values, or the virtual
 * tokens, alone are left.
 */
function optionsOf(config: Fields, kind: Kind, subject: Subject, file: string): Told {
  const strange = Object.keys(config).find((field) => !idle.has(field) && !Object.hasOwn(fields.shape, field) && (config[field] ?? false))
  if (strange !== undefined) {
    throw new UserError(`${file}: "${strange}" is ${JSON.stringify(config[strange])}: it is not known here; give another adapter.`)
  }
  const result = fields.safeParse(config)
  if (!result.success) {
    const [issue] = result.error.issues
    throw new UserError(`${file}: "${issue?.path.join('.')}" cannot be used: ${issue?.message}; correct it or give another adapter.`)
  }
  const given = result.data
  const tokens = given.num_virtual_tokens
  const own = peftTasks.get(String(config.task_type))?.modules ?? []
  const saved = [...new Set([...(given.modules_to_save ?? []), ...own])]
  const submodules = given.num_transformer_submodules ?? submodulesOf(subject.model)
  const hidden = given.encoder_hidden_size ?? null
  const width = hidden === widthOf(kinds[kind], subject) ? null : hidden
  if (kind === 'P_TUNING') {
    const encoder = encoders[given.encoder_reparameterization_type]
    return {
      options: promptOptions.parse({ name: 'prompt', tokens, encoder, width, depth: given.encoder_num_layers, computed: true }),
      ...{ saved, submodules },
    }
  }
  if (kind === 'PROMPT_TUNING') {
    const init = starts[given.prompt_tuning_init]
    const text = init === 'text' ? (given.prompt_tuning_init_text ?? null) : null
    return {
      options: promptOptions.parse({ name: 'prompt', tokens, init: text === null && init === 'text' ? 'random' : init, text }),
      ...{ saved, submodules },
    }
  }
  // PEFT shares keys and values out among the layers by this number.
  if (submodules !== submodulesOf(subject.model)) {
    throw new UserError(
      `${file}: "num_transformer_submodules" is ${submodules}, and a prefix is read for this model with ${submodulesOf(subject.model)} alone; train it without that field, which PEFT then sets.`,
    )
  }
  return { options: prefixOptions.parse({ name: 'prefix', tokens, width, attentions: 'peft' }), saved, submodules }
}

function read(folder: string, card: Card, subject: Subject, own: MethodOptions | null, warn: Warn): Adapter {
  const [file, tensors] = [join(folder, PEFT_CONFIG), tensorFile(folder, PEFT_TENSORS)]
  const config = readFields(file)
  const told = optionsOf(config, config.peft_type as Kind, subject, file)
  const options = own?.name === told.options.name && (own as Options).tokens === told.options.tokens ? (own as Options) : told.options
  const method = methodOf({ options, memory: null }, subject)
  const { [LEARNED]: learned, ...rest } = Object.fromEntries(
    readStored(tensors, stored(method, subject, told.saved, told.submodules), warn),
  )
  const used = leadingPart(learned!, [options.tokens, learned!.shape[1]!])
  return { options, memory: null, state: new Map([...separated(used, addedBy(method, subject)), ...Object.entries(rest)]), card }
}

/** HF PEFT's folder for prompt, P- and prefix tuning; source: huggingface/peft 0.21, `save_pretrained`. */
export const peftPrompts: Format = {
  methods: ['prompt', 'prefix'],
  // PEFT moves the text's positions, and its prompts are words.
  keeps: (options, { model }) =>
    options.name === 'prefix'
      ? options.positions === 'shifted' && (!model.wiring.decoder || options.attentions === 'peft')
      : options.name === 'prompt' && options.place === 'words',
  library: 'HF PEFT',
  files: [PEFT_CONFIG, PEFT_TENSORS[0]],
  holds: (folder) => existsSync(join(folder, PEFT_CONFIG)) && String(readFields(join(folder, PEFT_CONFIG)).peft_type) in kinds,
  describe: (folder) => peftCard(folder, 'base_model.'),
  write,
  read,
}
