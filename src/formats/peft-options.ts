import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { AdaLoraOptions } from '../methods/adalora.ts'
import { adaloraOptions } from '../methods/adalora.ts'
import type { AdaLoraMemory } from '../methods/adalora-allocator.ts'
import type { LoraOptions } from '../methods/lora.ts'
import { loraOptions } from '../methods/lora.ts'
import type { Subject, Warn } from './adapter.ts'
import type { Fields } from './json-file.ts'
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

/** PEFT's fields by the names of the options. */
const fields = {
  lora: { r: 'r', bias: 'bias', rslora: 'use_rslora', rankPattern: 'rank_pattern', alphaPattern: 'alpha_pattern' },
  adalora: {
    initR: 'init_r',
    targetR: 'target_r',
    tInit: 'tinit',
    tFinal: 'tfinal',
    deltaT: 'deltaT',
    beta1: 'beta1',
    beta2: 'beta2',
    orthogonality: 'orth_reg_weight',
  },
  both: { alpha: 'lora_alpha', dropout: 'lora_dropout' },
}

/** PEFT's defaults where they differ from adatune's. */
const defaults = { lora: { alpha: 8 }, adalora: { alpha: 8, tInit: 0, tFinal: 0, deltaT: 1, orthogonality: 0.5 } }

function checked<T>(schema: z.ZodType<T>, given: unknown, file: string, fieldOf: (key: string) => string): T {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = fieldOf(String(issue?.path[0]))
  throw new UserError(`${file}: "${field}" cannot be used: ${issue?.message}; correct it or give another adapter.`)
}

/** Which singular values each module has kept, as PEFT notes them in `rank_pattern`. */
function keptRanks(pattern: unknown, file: string): AdaLoraMemory | null {
  if (pattern === undefined || pattern === null) return null
  const lists = z.record(z.string(), z.array(z.boolean())).safeParse(pattern)
  if (!lists.success)
    throw new UserError(`${file}: "rank_pattern" must hold a list of booleans for each module; save the adapter again with PEFT.`)
  const kept = Object.fromEntries(Object.entries(lists.data).map(([name, keep]) => [name.replace(/\.lora_E(\.[^.]+)?$/, ''), keep]))
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
  readonly options: LoraOptions | AdaLoraOptions
  readonly memory: AdaLoraMemory | null
  readonly targets: PeftTargets
}

/** The options that a PEFT config stands for on this model. Throws UserError for fields that cannot be used. */
export function peftOptions(config: Fields, subject: Subject, file: string, warn: Warn): PeftReading {
  const name = config.peft_type === 'LORA' ? 'lora' : 'adalora'
  const targets = withHead(
    checked(targetFields, config, file, (key) => key),
    config.task_type,
    file,
  )
  const table: Record<string, string> = { ...fields.both, ...fields[name] }
  const given = Object.entries(table).flatMap(([option, field]) => (isSet(config[field]) ? [[option, config[field]]] : []))
  const raw = { name, ...defaults[name], ...Object.fromEntries(given), ...fromPeftTargets(targets, subject, file, warn) }
  const fieldOf = (key: string): string => table[key] ?? key
  if (name === 'lora') return { options: checked(loraOptions, raw, file, fieldOf), memory: null, targets }
  if (isSet(config.bias) && config.bias !== 'none') {
    throw new UserError(`${file}: "bias" is ${JSON.stringify(config.bias)}; AdaLoRA with trained biases is not supported.`)
  }
  return { options: checked(adaloraOptions, raw, file, fieldOf), memory: keptRanks(config.rank_pattern, file), targets }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null
