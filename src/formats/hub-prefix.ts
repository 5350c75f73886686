import { z } from 'zod'
import { UserError } from '../errors.ts'
import { onHost } from '../methods/algebra.ts'
import { type PrefixOptions, prefixOptions } from '../methods/prefix.ts'
import type { Tensor } from '../nn/method.ts'
import { addedBy, methodOf, type Subject } from './adapter.ts'
import { joined, separated } from './columns.ts'
import { checkedFields, type HubArchitecture, hubNames, refuseFields } from './hub-architecture.ts'
import type { Stored } from './stored-tensors.ts'

const functions = { tanh: Math.tanh, relu: (x: number): number => Math.max(x, 0) }

const fields = z.object({
  bottleneck_size: z.number().int().positive().default(512),
  flat: z.boolean().default(false),
  non_linearity: z
    .string()
    .default('tanh')
    .transform((name) => name.toLowerCase())
    .pipe(z.enum(Object.keys(functions) as (keyof typeof functions)[])),
  prefix_length: z.number().int().positive().default(30),
})

const fixed = { dropout: 0, use_gating: false }
const meanings: Readonly<Record<string, string>> = { dropout: 'the prefix has dropout of its own', use_gating: 'the prefix is gated' }
const idle = ['architecture', 'cross_prefix', 'encoder_prefix', 'init_weights_seed', 'leave_out', 'shared_gating']
const known = new Set([...Object.keys(fields.shape), ...Object.keys(fixed), ...idle])

/** The network's tensors in turn. */
const network = ['wte.weight', 'control_trans.0.weight', 'control_trans.0.bias', 'control_trans.2.weight', 'control_trans.2.bias']

function storedOf(subject: Subject, name: string, shapes: Readonly<Record<string, readonly number[]>>): Stored[] {
  const at = `${subject.model.wiring.prefix}.prefix_tuning.prefix_tunings.${name}.self_prefix`
  return Object.entries(shapes).map(([part, shape]) => ({ name: part, as: hubNames(subject, `${at}.${part}`), shape }))
}

/** The columns of keys and values, with the width of all. */
function slots(options: PrefixOptions, subject: Subject): { all: ReturnType<typeof addedBy>; width: number } {
  const all = addedBy(methodOf({ options, memory: null }, subject), subject)
  return { all, width: all.reduce((sum, { shape }) => sum + shape[1]!, 0) }
}

/**
 * Prefix tuning (`PrefixTuningConfig` of adapters 1.3): keys and values of all layers are rows, made by a network or flat. The text keeps
 * its own positions. A network is carried out when it is read; what is written is flat.
 */
export const hubPrefix: HubArchitecture = {
  read({ config, name, file, subject }) {
    refuseFields(config, known, fixed, meanings, file)
    if (Array.isArray(config.leave_out) && config.leave_out.length > 0)
      throw new UserError(`${file}: "leave_out" is ${JSON.stringify(config.leave_out)}; prefixes of some layers alone are not supported.`)
    const { flat, prefix_length: tokens, bottleneck_size: inner, non_linearity } = checkedFields(fields, config, file)
    const options = prefixOptions.parse({ name: 'prefix', tokens, positions: 'own' })
    const { all, width } = slots(options, subject)
    const { hidden } = subject.model.wiring
    const made = { 'wte.weight': [tokens, hidden], 'control_trans.0.weight': [inner, hidden], 'control_trans.0.bias': [inner] }
    const shapes: Readonly<Record<string, readonly number[]>> = flat
      ? { control_trans: [tokens * width] }
      : { ...made, 'control_trans.2.weight': [width, inner], 'control_trans.2.bias': [width] }
    const rows = (state: ReadonlyMap<string, Tensor>): Tensor => {
      if (flat) return { shape: [tokens, width], data: state.get('control_trans')!.data }
      const [table, w1, b1, w2, b2] = network.map((part) => state.get(part)!) as [Tensor, Tensor, Tensor, Tensor, Tensor]
      const inner = onHost.affine(table, w1, b1)
      return onHost.affine({ ...inner, data: inner.data.map(functions[non_linearity]) }, w2, b2)
    }
    return {
      options,
      stored: storedOf(subject, name, shapes),
      // What torch saves holds the prefix once more for each layer.
      ignored: (tensor) => tensor.includes('.prefix_tuning.pool.'),
      settle: (state) => new Map(separated(rows(state), all)),
    }
  },
  config: (options) => ({
    architecture: 'prefix_tuning',
    bottleneck_size: 512,
    cross_prefix: true,
    dropout: 0,
    encoder_prefix: true,
    flat: true,
    init_weights_seed: null,
    leave_out: [],
    non_linearity: 'tanh',
    prefix_length: (options as PrefixOptions).tokens,
    shared_gating: true,
    use_gating: false,
  }),
  write(given, state, name, subject) {
    const options = given as PrefixOptions
    const { all, width } = slots(options, subject)
    const { data } = joined(all.map((part) => state.get(part.name)!))
    const shape = [options.tokens * width]
    return {
      stored: storedOf(subject, name, { control_trans: shape }),
      state: new Map([...state, ['control_trans', { shape, data }]]),
    }
  },
}
