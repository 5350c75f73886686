import type { Fields } from '../json-file.ts'
import type { BottleneckOptions } from '../methods/bottleneck.ts'
import { type Method, parameterName } from '../nn/method.ts'
import type { BranchSite } from '../nn/site.ts'
import { methodOf, type Subject } from './adapter.ts'
import { type HubArchitecture, hubNames } from './hub-architecture.ts'
import { hubConfig, hubOptions } from './hub-config.ts'
import type { Stored } from './stored-tensors.ts'

/** adapter-hub's names within a module's adapter. */
const ends: Readonly<Record<string, string>> = {
  'down.weight': 'adapter_down.0.weight',
  'down.bias': 'adapter_down.0.bias',
  'up.weight': 'adapter_up.weight',
  'up.bias': 'adapter_up.bias',
}

/** What adapter-transformers 1 to 3 called a module's `adapters`. */
const formerly = ['attention_text_task_adapters', 'attention_text_lang_adapters', 'layer_text_task_adapters', 'layer_text_lang_adapters']

function storedOf(subject: Subject, method: Method, adapter: string): Stored[] {
  return subject.outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]): Stored => {
      const [name, ...more] = ['adapters', ...formerly].flatMap((group) =>
        hubNames(subject, `${(site as BranchSite).module}.${group}.${adapter}.${ends[role]}`),
      )
      return { name: parameterName(site, role), as: [name!, ...more], shape }
    }),
  )
}

/** The fields of today; in the first release `gelu` was the name of its tanh form, and invertible adapters were nested. */
function modernised(config: Fields, version: unknown): Fields {
  const { invertible_adapter: nested, ...rest } = config
  const old: Readonly<Record<string, string>> = version === undefined ? { gelu: 'gelu_new', gelu_orig: 'gelu' } : {}
  const invertible = nested ? { inv_adapter: (nested as Fields).block_type ?? true } : {}
  return { ...rest, ...invertible, non_linearity: old[String(config.non_linearity)] ?? config.non_linearity }
}

/** Old adapters of tasks name an invertible adapter that they do not have. */
const withoutIdle = (config: Fields, type: unknown, names: Iterable<string>): Fields =>
  type === 'text_task' && ![...names].some((name) => name.includes('invertible'))
    ? { ...config, inv_adapter: null, inv_adapter_reduction_factor: null }
    : config

/** Bottlenecks (`BnConfig` of adapters 1.3). */
export const hubBottleneck: HubArchitecture = {
  read({ config: given, about, name, entries, file, subject }) {
    const config = withoutIdle(modernised(given, about.version), about.type, entries.keys())
    const down = [...entries].find(([tensor]) => tensor.endsWith('.adapter_down.0.weight'))
    const options = hubOptions(config, subject, down?.[1].shape[0] ?? 1, file)
    return { options, stored: storedOf(subject, methodOf({ options, memory: null }, subject), name) }
  },
  config: (options, { model }) => hubConfig(options as BottleneckOptions, model),
  write: (options, state, name, subject) => ({
    stored: storedOf(subject, methodOf({ options, memory: null }, subject), name),
    state,
  }),
}
