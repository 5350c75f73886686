import type { AdaLoraOptions } from '../methods/adalora.ts'
import { budgetTimes } from '../methods/adalora.ts'
import type { AdaLoraMemory } from '../methods/adalora-allocator.ts'
import type { LoraOptions } from '../methods/lora.ts'
import type { Card } from './adapter.ts'
import { hubName } from './card.ts'
import { taskType } from './peft-head.ts'
import type { PeftTargets } from './peft-targets.ts'
import { PEFT_VERSION } from './peft-version.ts'
import type { Json } from './python-json.ts'

/** Fields that PEFT's classes type as floats. */
export const isPeftFloat = (key: string): boolean => ['beta1', 'beta2', 'lora_dropout', 'orth_reg_weight'].includes(key)

/** Features that are off, as PEFT 0.21 writes them. */
const unused = {
  alora_invocation_tokens: null,
  arrow_config: null,
  auto_mapping: null,
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
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
  revision: null,
  target_parameters: null,
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  velora_config: null,
}

/** PEFT ignores `r` here and warns where it is not the default. */
const ADALORA_R = 8

/** The schedule in updates; for a run of unknown length one that PEFT accepts. */
function schedule(options: AdaLoraOptions, known: number | null): Record<string, Json> {
  const total = known ?? Math.ceil(options.tInit) + Math.ceil(options.tFinal) + 1
  const { tInit, tFinal } = budgetTimes(options, total)
  return { tinit: tInit, tfinal: tFinal, total_step: total, deltaT: options.deltaT }
}

/** `adapter_config.json` of LoRA or AdaLoRA; `memory` is AdaLoRA's. */
export function peftConfig(
  options: LoraOptions | AdaLoraOptions,
  memory: AdaLoraMemory | null,
  card: Card,
  targets: PeftTargets,
): Record<string, Json> {
  const common = {
    ...unused,
    ...(targets as unknown as Record<string, Json>),
    base_model_name_or_path: hubName(card.baseModel),
    lora_alpha: options.alpha,
    lora_dropout: options.dropout,
    peft_version: PEFT_VERSION,
    task_type: taskType(card.task),
  }
  if (options.name === 'lora') {
    const { r, bias, rslora, rankPattern, alphaPattern } = options
    return { ...common, peft_type: 'LORA', r, bias, use_rslora: rslora, rank_pattern: rankPattern, alpha_pattern: alphaPattern }
  }
  const kept = memory?.kept ? Object.entries(memory.kept).map(([module, keep]) => [`${module}.lora_E`, keep]) : null
  return {
    ...common,
    ...schedule(options, card.totalSteps),
    peft_type: 'ADALORA',
    r: ADALORA_R,
    bias: 'none',
    use_rslora: false,
    alpha_pattern: {},
    rank_pattern: kept && Object.fromEntries(kept),
    init_r: options.initR,
    target_r: options.targetR,
    beta1: options.beta1,
    beta2: options.beta2,
    orth_reg_weight: options.orthogonality,
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
