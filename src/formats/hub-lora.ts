import { z } from 'zod'
import { UserError } from '../errors.ts'
import { type Ia3Options, ia3Options } from '../methods/ia3.ts'
import type { MethodOptions } from '../methods/index.ts'
import { selectsLayer } from '../methods/layers.ts'
import { type LoraOptions, loraOptions } from '../methods/lora.ts'
import { parameterName } from '../nn/method.ts'
import { methodOf, type Subject } from './adapter.ts'
import { checkedFields, type HubArchitecture, hubNames, layersBut, refuseFields } from './hub-architecture.ts'
import type { Stored } from './stored-tensors.ts'

const matrices = { q: 'query', k: 'key', v: 'value' } as const
type Letter = keyof typeof matrices
const letters = Object.keys(matrices) as Letter[]

const fields = z.object({
  alpha: z.number().positive().default(8),
  attn_matrices: z.array(z.enum(letters)).default(['q', 'v']),
  composition_mode: z.enum(['add', 'scale']).default('add'),
  dropout: z.number().default(0),
  intermediate_lora: z.boolean().default(false),
  leave_out: z.array(z.number().int().nonnegative()).default([]),
  output_lora: z.boolean().default(false),
  r: z.number().default(8),
  selfattn_lora: z.boolean().default(true),
})
type Given = z.infer<typeof fields>

const fixed = { use_dora: false, use_gating: false, vera_b: null, vera_d: null }
const meanings: Readonly<Record<string, string>> = {
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

function targetsOf({ attn_matrices: attention, selfattn_lora, intermediate_lora: up, output_lora: down }: Given, file: string): string[] {
  const inAttention = selfattn_lora ? attention.map((letter) => matrices[letter]) : []
  const targets = [...inAttention, ...(up ? ['up'] : []), ...(down ? ['down'] : [])]
  if (targets.length > 0) return targets
  throw new UserError(`${file}: "selfattn_lora", "intermediate_lora" and "output_lora" leave no module; give another adapter.`)
}

function optionsOf(given: Given, version: unknown, subject: Subject, file: string): MethodOptions {
  const { composition_mode: mode, r, alpha: stated, dropout, leave_out: leftOut } = given
  const alpha = isUnscaled(version) ? r : stated
  const place = { targets: targetsOf(given, file), layers: layersBut(leftOut, subject, file) }
  if (mode === 'add') return checkedFields(loraOptions, { name: 'lora', r, alpha, dropout, ...place }, file)
  if (r === 1 && alpha === 1 && dropout === 0) return ia3Options.parse({ name: 'ia3', feedForward: [], ...place })
  throw new UserError(
    `${file}: "composition_mode" is "scale" (IA3), which goes with "r" 1, "alpha" 1 and "dropout" 0; give another adapter.`,
  )
}

function storedOf(options: MethodOptions, subject: Subject, name: string): Stored[] {
  const method = methodOf({ options, memory: null }, subject)
  return subject.outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]): Stored => {
      // The scales of IA3 are B, and A is none.
      const factor = options.name === 'ia3' ? 'B' : role.split('.')[0]!
      return { name: parameterName(site, role), as: hubNames(subject, `${site.name}.loras.${name}.lora_${factor}`), shape }
    }),
  )
}

const targetNames: readonly string[] = [...Object.values(matrices), 'up', 'down']
const isEmpty = (given: object): boolean => Object.keys(given).length === 0

/** Whether adapter-hub's config can say the same: modules by their roles, and no more than it knows of LoRA; IA3 that scales results alone. */
export function isHubLora(options: MethodOptions): boolean {
  if (options.name !== 'lora' && options.name !== 'ia3') return false
  const { targets, exclude } = options
  if (typeof targets === 'string' || exclude.length > 0 || !targets.every((target) => targetNames.includes(target))) return false
  if (options.name === 'ia3') return options.feedForward.length === 0
  const { bias, rslora, dora, prune, rankPattern, alphaPattern } = options
  return bias === 'none' && !rslora && !dora && prune === null && isEmpty(rankPattern) && isEmpty(alphaPattern)
}

/** LoRA and IA3 (`LoRAConfig` and `IA3Config` of adapters 1.3), of maps that the model has apart. */
export const hubLora: HubArchitecture = {
  read({ config, about, name, file, subject }) {
    refuseFields(config, known, fixed, meanings, file)
    const options = optionsOf(checkedFields(fields, config, file), about.version, subject, file)
    return { options, stored: storedOf(options, subject, name) }
  },
  config(given, { model }) {
    const options = given as LoraOptions | Ia3Options
    const { r, alpha, dropout } = options.name === 'lora' ? options : { r: 1, alpha: 1, dropout: 0 }
    const has = (target: string): boolean => options.targets.includes(target)
    const attention = [...options.targets].flatMap((target) => letters.filter((letter) => matrices[letter] === target))
    const { layers } = model.wiring
    return {
      alpha,
      architecture: 'lora',
      attn_matrices: attention,
      composition_mode: options.name === 'lora' ? 'add' : 'scale',
      dropout,
      dtype: null,
      init_weights: options.name === 'lora' ? 'lora' : 'ia3',
      init_weights_seed: null,
      intermediate_lora: has('up'),
      leave_out: Array.from({ length: layers }, (_, i) => i).filter((i) => !selectsLayer(options.layers, i, layers)),
      output_lora: has('down'),
      r,
      selfattn_lora: attention.length > 0,
      ...fixed,
    }
  },
  write: (options, state, name, subject) => ({ stored: storedOf(options, subject, name), state }),
}
