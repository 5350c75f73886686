import { z } from 'zod'
import { UserError } from '../errors.ts'
import { loraOptions } from '../methods/lora.ts'
import { parameterName } from '../nn/method.ts'
import { methodOf } from './adapter.ts'
import { checkedFields, type HubArchitecture, hubNames, layersBut, refuseFields } from './hub-architecture.ts'
import type { Stored } from './stored-tensors.ts'

const matrices = { q: 'query', k: 'key', v: 'value' } as const

const fields = z.object({
  alpha: z.number().positive().default(8),
  attn_matrices: z.array(z.enum(Object.keys(matrices) as (keyof typeof matrices)[])).default(['q', 'v']),
  dropout: z.number().default(0),
  intermediate_lora: z.boolean().default(false),
  leave_out: z.array(z.number().int().nonnegative()).default([]),
  output_lora: z.boolean().default(false),
  r: z.number().default(8),
  selfattn_lora: z.boolean().default(true),
})

const fixed = { composition_mode: 'add', use_dora: false, use_gating: false, vera_b: null, vera_d: null }
const meanings: Readonly<Record<string, string>> = {
  composition_mode: 'outputs are scaled (IA3)',
  use_dora: 'magnitudes are trained apart from directions (DoRA)',
  use_gating: 'the adapter is gated',
  vera_b: 'random factors are shared (VeRA)',
  vera_d: 'random factors are shared (VeRA)',
}
const known = new Set([...Object.keys(fields.shape), ...Object.keys(fixed), 'architecture', 'dtype', 'init_weights', 'init_weights_seed'])

/** Before release 1.1 the increment was not scaled. */
function isUnscaled(version: unknown): boolean {
  const [, major, minor] = /^adapters\.(\d+)\.(\d+)/.exec(String(version)) ?? []
  return major !== undefined && (Number(major) < 1 || (Number(major) === 1 && Number(minor) < 1))
}

/** LoRA (`LoRAConfig` of adapters 1.3), of maps that the model has apart. */
export const hubLora: HubArchitecture = {
  read({ config, about, name, file, subject }) {
    refuseFields(config, known, fixed, meanings, file)
    const {
      alpha,
      attn_matrices: attention,
      dropout,
      intermediate_lora: up,
      leave_out,
      output_lora: down,
      r,
      selfattn_lora,
    } = checkedFields(fields, config, file)
    const targets = [
      ...(selfattn_lora ? attention.map((letter) => matrices[letter]) : []),
      ...(up ? ['up'] : []),
      ...(down ? ['down'] : []),
    ]
    if (targets.length === 0)
      throw new UserError(`${file}: "selfattn_lora", "intermediate_lora" and "output_lora" leave no module; give another adapter.`)
    const options = checkedFields(
      loraOptions,
      {
        name: 'lora',
        r,
        alpha: isUnscaled(about.version) ? r : alpha,
        dropout,
        targets,
        layers: layersBut(leave_out, subject, file),
      },
      file,
    )
    const method = methodOf({ options, memory: null }, subject)
    const stored = subject.outline.sites.flatMap((site) =>
      Object.entries(method.parameters(site)).map(
        ([role, { shape }]): Stored => ({
          name: parameterName(site, role),
          as: hubNames(subject, `${site.name}.loras.${name}.lora_${role.split('.')[0]}`),
          shape,
        }),
      ),
    )
    return { options, stored }
  },
}
