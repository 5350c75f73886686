import { UserError } from '../errors.ts'
import type { Fields } from '../json-file.ts'
import { honouredFields, peftTypes } from './peft-options.ts'

/** What cannot be honoured, by field, with what it means. */
const meanings: Readonly<Record<string, string>> = {
  alora_invocation_tokens: 'the adapter acts only after certain tokens (aLoRA)',
  arrow_config: 'several adapters are routed between (Arrow)',
  enable_lora: 'a fused map is adapted in parts',
  ensure_weight_tying: 'adapters of tied layers are tied',
  kasa_config: 'singular values of the base model are cut off (KaSA)',
  layer_replication: 'layers of the base model are repeated',
  layers_pattern: 'the layers are found by a pattern',
  loftq_config: 'the base model was changed when the adapter was made (LoftQ)',
  lora_bias: 'the up-projections have biases',
  megatron_config: "the layers are Megatron's",
  monteclora_config: 'the adapter is sampled (MonteCLoRA)',
  target_parameters: 'bare parameters are adapted',
  trainable_token_indices: 'rows of the embedding are trained',
  use_bdlora: 'the factors are block-diagonal (BD-LoRA)',
  use_dora: 'magnitudes are trained apart from directions (DoRA)',
  use_qalora: 'inputs are pooled for a quantized model (QA-LoRA)',
  velora_config: 'the backward pass is compressed (VeLoRA)',
}

/** Fields that are honoured, or that say nothing about what the adapter computes. */
const known = new Set(
  `alpha_pattern auto_mapping base_model_name_or_path beta1 beta2 bias corda_config deltaT eva_config exclude_modules fan_in_fan_out feedforward_modules inference_mode
  init_ia3_weights init_lora_weights init_weights init_r layers_to_transform lora_alpha lora_dropout lora_ga_config megatron_core merge_weights modules_to_save
  orth_reg_weight peft_type peft_version projection_prng_key qalora_group_size r rank_pattern revision runtime_config save_projection target_modules target_r task_type
  tfinal tinit total_step use_rslora`.split(/\s+/),
)

/** Ways to start that leave the base model as it is. */
const gentleStarts: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'orthogonal', 'eva']

const isUnset = (value: unknown): boolean =>
  value === undefined || value === null || value === false || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)

/** Refuses by name what the adapter needs and adatune lacks. */
export function refuseUnsupported(config: Fields, file: string): void {
  const kind = config.peft_type
  if (!peftTypes.includes(String(kind))) {
    throw new UserError(`${file}: adapters of the "peft_type" ${JSON.stringify(kind)} are not supported yet; ${peftTypes.join(', ')} are.`)
  }
  const honoured = honouredFields(String(kind))
  for (const [field, value] of Object.entries(config)) {
    if (known.has(field) || honoured.includes(field) || isUnset(value)) continue
    const meaning = meanings[field] ?? 'it is not known here'
    throw new UserError(`${file}: "${field}" is ${JSON.stringify(value)}: ${meaning}; that is not supported, so give another adapter.`)
  }
  if (config.save_projection === false) {
    const way = 'load it in Python, set save_projection=True in its config and save it again'
    throw new UserError(`${file}: "save_projection" is false, and PEFT's projections are drawn by torch, so they are unknown here; ${way}.`)
  }
  const start = config.init_lora_weights
  if (!gentleStarts.includes(start)) {
    const way = 'convert the adapter in Python: save_pretrained(folder, path_initial_model_for_weight_conversion=...)'
    throw new UserError(
      `${file}: "init_lora_weights" is ${JSON.stringify(start)}, which changes the base model or what is trained; ${way}.`,
    )
  }
}
