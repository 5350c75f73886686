import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Fields } from '../json-file.ts'
import { adaloraOptions } from '../methods/adalora.ts'
import type { AllocationMemory } from '../methods/allocator.ts'
import { ia3Options } from '../methods/ia3.ts'
import { loraOptions } from '../methods/lora.ts'
import { veraOptions } from '../methods/vera.ts'
import type { Subject, Warn } from './adapter.ts'
import type { PeftName, PeftOptions } from './peft-config.ts'
import { fromFeedForward } from './peft-feed-forward.ts'
import { peftTasks } from './peft-head.ts'
import { fromPeftTargets, type PeftTargets } from './peft-targets.ts'

const names = z.array(z.string())
const targetFields = z.object({
  target_modules: z.union([names.min(1), z.string().min(1)]),
  exclude_modules: z
    .union([names, z.string()])
    .nullish()
    .transform((value) => value ?? null),
  layers_to_transform: z
    .union([z.array(z.number().int()), z.number().int()])
    .nullish()
    .transform((value) => value ?? null),
  modules_to_save: names.nullish().transform((value) => value ?? null),
})

/** How a config of PEFT becomes options. */
interface Reader<Options> {
  readonly name: PeftName
  readonly schema: z.ZodType<Options>
  /** PEFT's fields by the names of the options. */
  readonly fields: Readonly<Record<string, string>>
  /** PEFT's defaults where they differ from adatune's. */
  readonly defaults: Readonly<Record<string, unknown>>
}

const readers: Readonly<Record<string, Reader<PeftOptions>>> = {
  LORA: {
    name: 'lora',
    schema: loraOptions,
    fields: {
      r: 'r',
      alpha: 'lora_alpha',
      dropout: 'lora_dropout',
      bias: 'bias',
      rslora: 'use_rslora',
      dora: 'use_dora',
      rankPattern: 'rank_pattern',
      alphaPattern: 'alpha_pattern',
    },
    defaults: { alpha: 8 },
  },
  ADALORA: {
    name: 'adalora',
    schema: adaloraOptions,
    fields: {
      alpha: 'lora_alpha',
      dropout: 'lora_dropout',
      initR: 'init_r',
      targetR: 'target_r',
      tInit: 'tinit',
      tFinal: 'tfinal',
      deltaT: 'deltaT',
      beta1: 'beta1',
      beta2: 'beta2',
      orthogonality: 'orth_reg_weight',
    },
    defaults: { alpha: 8, tInit: 0, tFinal: 0, deltaT: 1, orthogonality: 0.5 },
  },
  VERA: { name: 'vera', schema: veraOptions, fields: { r: 'r', dropout: 'vera_dropout', initial: 'd_initial' }, defaults: {} },
  IA3: { name: 'ia3', schema: ia3Options, fields: { feedForward: 'feedforward_modules' }, defaults: { feedForward: [] } },
}

/** The fields of a kind of adapter that become options. */
export const honouredFields = (type: string): string[] => Object.values(readers[type]!.fields)

/** The kinds of adapters that are read. */
export const peftTypes = Object.keys(readers)

function checked<T>(schema: z.ZodType<T>, given: unknown, file: string, fieldOf: (key: string) => string): T {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = fieldOf(String(issue?.path[0]))
  throw new UserError(`${file}: "${field}" cannot be used: ${issue?.message}; correct it or give another adapter.`)
}

/** Which singular values each module has kept, as PEFT notes them in `rank_pattern`: under its name, or without the encoder's prefix. */
function keptRanks(pattern: unknown, { model, outline }: Subject, file: string): AllocationMemory | null {
  if (pattern === undefined || pattern === null) return null
  const lists = z.record(z.string(), z.array(z.boolean())).safeParse(pattern)
  if (!lists.success)
    throw new UserError(`${file}: "rank_pattern" must hold a list of booleans for each module; save the adapter again with PEFT.`)
  const sites = new Set(outline.sites.map(({ name }) => name))
  const siteOf = (key: string): string => {
    const name = key.replace(/\.lora_E(\.[^.]+)?$/, '')
    const full = `${model.wiring.prefix}.${name}`
    return sites.has(full) ? full : name
  }
  const kept = Object.fromEntries(Object.entries(lists.data).map(([key, keep]) => [siteOf(key), keep]))
  return { kept, shrunk: true, ranks: null }
}

/** What `modules_to_save` comes to: PEFT adds the task's head by itself. */
function withHead(targets: PeftTargets, type: unknown, file: string): PeftTargets {
  if (type === undefined || type === null || type === 'FEATURE_EXTRACTION') return targets
  const task = peftTasks.get(String(type))
  if (!task)
    throw new UserError(`${file}: the "task_type" ${JSON.stringify(type)} is not supported yet; ${[...peftTasks.keys()].join(', ')} are.`)
  return { ...targets, modules_to_save: [...new Set([...(targets.modules_to_save ?? []), ...task.modules])] }
}

export interface PeftReading {
  readonly options: PeftOptions
  readonly memory: AllocationMemory | null
  readonly targets: PeftTargets
}

/** The options that a PEFT config stands for on this model. Throws UserError for fields that cannot be used. */
export function peftOptions(config: Fields, subject: Subject, file: string, warn: Warn): PeftReading {
  const { name, schema, fields, defaults } = readers[String(config.peft_type)]!
  const targets = withHead(
    checked(targetFields, config, file, (key) => key),
    config.task_type,
    file,
  )
  const given = Object.entries(fields).flatMap(([option, field]) => (isSet(config[field]) ? [[option, config[field]]] : []))
  // Other ways to start are of no more account once weights are there.
  const start = name === 'lora' && config.init_lora_weights === 'gaussian' ? { init: 'gaussian' } : {}
  const raw = { name, ...start, ...defaults, ...Object.fromEntries(given), ...fromPeftTargets(targets, subject, file, warn) }
  const options = checked(schema, raw, file, (key) => fields[key] ?? key)
  if (options.name !== 'lora' && isSet(config.bias) && config.bias !== 'none') {
    throw new UserError(`${file}: "bias" is ${JSON.stringify(config.bias)}; ${config.peft_type} with trained biases is not supported.`)
  }
  const memory = options.name === 'adalora' ? keptRanks(config.rank_pattern, subject, file) : null
  if (options.name !== 'ia3') return { options, memory, targets }
  return { options: { ...options, feedForward: fromFeedForward(options, options.feedForward, subject) }, memory, targets }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null
