import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Fields } from '../json-file.ts'
import type { BottleneckOptions } from '../methods/bottleneck.ts'
import { bottleneckOptions, bottleneckSize, variants } from '../methods/bottleneck.ts'
import { selectsLayer } from '../methods/layers.ts'
import type { Model } from '../models/open.ts'
import { activationNames } from '../nn/activation.ts'
import type { Subject } from './adapter.ts'
import { checkedFields, layersBut, refuseFields } from './hub-architecture.ts'
import type { Json } from './python-json.ts'

/** Fields that adapter-hub types as floats; its `scaling` must be one. */
export const isHubFloat = (key: string): boolean => ['dropout', 'phm_init_range', 'scaling', 'stochastic_depth'].includes(key)

/** adapter-hub's defaults for a bottleneck (`BnConfig` of adapters 1.3). */
const defaults = {
  adapter_residual_before_ln: false,
  cross_adapter: false,
  dropout: 0,
  factorized_phm_W: true,
  factorized_phm_rule: false,
  hypercomplex_nonlinearity: 'glorot-uniform',
  init_weights_seed: null,
  inv_adapter: null,
  inv_adapter_reduction_factor: null,
  learn_phm: true,
  ln_after: false,
  ln_before: false,
  original_ln_after: true,
  phm_bias: true,
  phm_c_init: 'normal',
  phm_dim: 4,
  phm_init_range: 0.0001,
  phm_layer: false,
  phm_rank: 1,
  residual_before_ln: true,
  shared_W_phm: false,
  shared_phm_rule: true,
  stochastic_depth: 0,
  use_gating: false,
}

/** What must be as by default, with what else it would mean. */
const meanings: Readonly<Record<string, string>> = {
  adapter_residual_before_ln: "the adapter's residual lies before its norm",
  cross_adapter: 'adapters follow the cross-attention',
  dropout: 'the adapter has dropout of its own',
  inv_adapter: 'an invertible adapter follows the embedding',
  ln_after: 'the adapter ends with a norm of its own',
  ln_before: 'the adapter begins with a norm of its own',
  original_ln_after: "the sub-layer's norm is left out",
  phm_layer: 'the projections are sums of Kronecker products (Compacter)',
  residual_before_ln: 'the residual starts after the norm',
  stochastic_depth: 'layers are dropped at random',
  use_gating: 'the adapter is gated',
}

/** The shortest number that adapter-hub's `hidden // reduction_factor` turns into `size`. */
function reductionFor(hidden: number, size: number): number {
  if (hidden % size === 0) return hidden / size
  for (let digits = 0; ; digits++) {
    const factor = Number((hidden / (size + 0.5)).toFixed(digits))
    if (hidden / factor > size && hidden / factor < size + 1) return factor
  }
}

/** The `config` of a bottleneck. The form `ffn-output` is written as adapter-hub's nearest, which drops out before it. */
export function hubConfig(options: BottleneckOptions, { wiring }: Model): Record<string, Json> {
  const { variant: name, size, reduction, layers } = options
  const variant = variants[name]
  const indices = Array.from({ length: wiring.layers }, (_, i) => i)
  return {
    ...defaults,
    init_weights: variant.init === 'mam' ? 'mam_adapter' : 'bert',
    is_parallel: name === 'parallel',
    leave_out: indices.filter((i) => !selectsLayer(layers, i, wiring.layers)),
    mh_adapter: name === 'houlsby',
    non_linearity: options.activation ?? variant.activation,
    original_ln_before: name === 'pfeiffer',
    output_adapter: true,
    reduction_factor: size === null ? (reduction ?? variant.reduction) : reductionFor(wiring.hidden, size),
    scaling: options.scaling ?? variant.scaling,
  }
}

const fields = z.object({
  mh_adapter: z.boolean(),
  output_adapter: z.boolean(),
  is_parallel: z.boolean().default(false),
  original_ln_before: z.boolean().default(false),
  leave_out: z.array(z.number().int().nonnegative()).nullish(),
  non_linearity: z
    .string()
    .transform((name) => name.toLowerCase())
    .pipe(z.enum(activationNames)),
  reduction_factor: z.number('must be one number for all layers').positive(),
  scaling: z.number('must be a number; learned scalings are not supported').default(1),
})

const known = new Set([...Object.keys(defaults), ...Object.keys(fields.shape), 'architecture', 'init_weights'])

type Variant = BottleneckOptions['variant']

/** The form of a bottleneck by its fields, or null. */
function variantOf({ mh_adapter, output_adapter, is_parallel, original_ln_before }: z.infer<typeof fields>): Variant | null {
  if (!output_adapter || (mh_adapter && (is_parallel || original_ln_before))) return null
  if (is_parallel) return 'parallel'
  if (mh_adapter) return 'houlsby'
  return original_ln_before ? 'pfeiffer' : 'ffn-output'
}

/**
 * The options that an adapter-hub config stands for; `size` is the width that the tensors have.
 * @throws UserError for a form of adapter that is not supported
 */
export function hubOptions(config: Fields, subject: Subject, size: number, file: string): BottleneckOptions {
  refuseFields(config, known, defaults, meanings, file)
  const data = checkedFields(fields, config, file)
  const variant = variantOf(data)
  if (variant === null) {
    const forms = 'after both sub-layers, after the feed-forward block, or parallel to it'
    throw new UserError(
      `${file}: "mh_adapter", "output_adapter", "is_parallel" and "original_ln_before" describe none of the known forms: ${forms}.`,
    )
  }
  const layers = layersBut(data.leave_out ?? [], subject, file)
  const options = bottleneckOptions.parse({ name: 'bottleneck', variant, activation: data.non_linearity, scaling: data.scaling, layers })
  const reduced = { ...options, reduction: data.reduction_factor }
  return bottleneckSize(reduced, subject.model.wiring.hidden) === size ? reduced : { ...options, size }
}
