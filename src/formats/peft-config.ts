import type { AdaLoraOptions } from '../methods/adalora.ts'
import { budgetTimes, hasBudgetingPhase } from '../methods/allocation-options.ts'
import type { AllocationMemory } from '../methods/allocator.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { LoraOptions } from '../methods/lora.ts'
import type { Card, Subject } from './adapter.ts'
import { hubName } from './card.ts'
import { withFeedForward } from './peft-feed-forward.ts'
import { taskType } from './peft-head.ts'
import { orderlessPatterns } from './peft-patterns.ts'
import { type PeftTargets, targeted, toPeftTargets } from './peft-targets.ts'
import { PEFT_VERSION } from './peft-version.ts'
import type { Json } from './python-json.ts'

/** Fields that PEFT's classes type as floats. */
export const isPeftFloat = (key: string): boolean =>
  ['beta1', 'beta2', 'd_initial', 'encoder_dropout', 'lora_dropout', 'orth_reg_weight', 'vera_dropout'].includes(key)

/** What every config of 0.21 has. */
const always = { auto_mapping: null, inference_mode: true, revision: null }

/** LoRA's and AdaLoRA's features that are off, as PEFT 0.21 writes them. */
const unused = {
  alora_invocation_tokens: null,
  arrow_config: null,
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  kasa_config: null,
  layer_replication: null,
  layers_pattern: null,
  loftq_config: {},
  lora_bias: false,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: 'megatron.core',
  monteclora_config: null,
  qalora_group_size: 16,
  target_parameters: null,
  trainable_token_indices: null,
  use_bdlora: null,
  use_qalora: false,
  velora_config: null,
}

/** PEFT ignores `r` here and warns where it is not the default. */
const ADALORA_R = 8

/** The schedule in updates; where the run's length is not known or its times were not used, one that PEFT accepts. */
function schedule(options: AdaLoraOptions, known: number | null): Record<string, Json> {
  const total = known ?? Math.ceil(options.tInit) + Math.ceil(options.tFinal) + 1
  const times = budgetTimes(options, total)
  const { tInit, tFinal } = hasBudgetingPhase(times, total) ? times : { tInit: 0, tFinal: 0 }
  return { tinit: tInit, tfinal: tFinal, total_step: total, deltaT: options.deltaT }
}

/** The options of the methods whose adapters PEFT keeps at linear maps. */
export type PeftOptions = Extract<MethodOptions, { name: 'lora' | 'adalora' | 'ia3' | 'vera' }>
export type PeftName = PeftOptions['name']

interface PeftFields {
  readonly options: PeftOptions
  /** AdaLoRA's, else null. */
  readonly memory: AllocationMemory | null
  readonly card: Card
  /** The modules that are saved whole. */
  readonly saved: readonly string[] | null
  readonly subject: Subject
}

/** The fields that say where a method acts, but for those that its config lacks. */
const targetFields = (targets: PeftTargets, lacking: readonly string[]): Record<string, Json> =>
  Object.fromEntries(Object.entries(targets).filter(([field]) => !lacking.includes(field))) as Record<string, Json>

type Writer<Name> = (options: Extract<PeftOptions, { name: Name }>, given: PeftFields) => Record<string, Json>

const lowRank = ({ alpha, dropout }: LoraOptions | AdaLoraOptions): Record<string, Json> => ({
  ...unused,
  lora_alpha: alpha,
  lora_dropout: dropout,
})

const writers: { readonly [Name in PeftName]: Writer<Name> } = {
  lora(options, { saved, subject }) {
    const modules = targeted(options, subject).map(({ name }) => name)
    const { r, bias, rslora, rankPattern, alphaPattern, dora, init } = orderlessPatterns(options, modules)
    return {
      ...lowRank(options),
      ...targetFields(toPeftTargets(options, subject, saved), []),
      peft_type: 'LORA',
      r,
      bias,
      init_lora_weights: init === 'gaussian' ? init : true,
      use_dora: dora,
      use_rslora: rslora,
      rank_pattern: rankPattern,
      alpha_pattern: alphaPattern,
    }
  },
  adalora(options, { memory, card, saved, subject }) {
    const kept = memory?.kept ? Object.entries(memory.kept).map(([module, keep]) => [`${module}.lora_E`, keep]) : null
    return {
      ...lowRank(options),
      ...targetFields(toPeftTargets(options, subject, saved), []),
      ...schedule(options, card.totalSteps),
      peft_type: 'ADALORA',
      r: ADALORA_R,
      bias: 'none',
      init_lora_weights: true,
      use_dora: false,
      use_rslora: false,
      alpha_pattern: {},
      rank_pattern: kept && Object.fromEntries(kept),
      init_r: options.initR,
      target_r: options.targetR,
      beta1: options.beta1,
      beta2: options.beta2,
      orth_reg_weight: options.orthogonality,
    }
  },
  ia3(options, { saved, subject }) {
    const lacking = ['layers_to_transform'] as const
    const { targets, inputs } = withFeedForward(options, toPeftTargets(options, subject, saved, lacking), subject)
    return { ...targetFields(targets, lacking), peft_type: 'IA3', feedforward_modules: inputs, init_ia3_weights: true }
  },
  vera(options, { saved, subject }) {
    const lacking = ['exclude_modules'] as const
    return {
      ...targetFields(toPeftTargets(options, subject, saved, lacking), lacking),
      peft_type: 'VERA',
      r: options.r,
      bias: 'none',
      d_initial: options.initial,
      init_weights: true,
      layers_pattern: null,
      // PEFT draws the projections from it where the file holds none.
      projection_prng_key: 0,
      save_projection: true,
      vera_dropout: options.dropout,
    }
  },
}

/** `adapter_config.json` as PEFT has it for the method. */
export function peftConfig(given: PeftFields): Record<string, Json> {
  const { options, card, subject } = given
  return {
    ...always,
    // PEFT sets it by what it finds, and reads factors alike whatever it says.
    fan_in_fan_out: targeted(options, subject).every(({ stored }) => stored?.transposed === true),
    base_model_name_or_path: hubName(card.baseModel),
    peft_version: PEFT_VERSION,
    task_type: taskType(card.task),
    ...(writers[options.name] as Writer<PeftName>)(options as never, given),
  }
}

const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? [...value].sort() : value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, canonical((value as Record<string, unknown>)[key])]),
  )
}

/** Whether two configs mean the same: lists of names are sets, and where a model came from does not matter. */
export function sameConfig(a: object, b: object): boolean {
  const text = (config: object): string => {
    const provenance = { auto_mapping: 0, base_model_name_or_path: 0, peft_version: 0, revision: 0 }
    return JSON.stringify(canonical({ ...config, ...provenance }))
  }
  return text(a) === text(b)
}
