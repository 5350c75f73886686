import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { BottleneckOptions } from '../methods/bottleneck.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Method } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import type { BranchSite } from '../nn/site.ts'
import type { Adapter, Card, Format, Subject } from './adapter.ts'
import { methodOf } from './adapter.ts'
import { hubName } from './card.ts'
import { className, taskOf } from './class-name.ts'
import { hubConfig, hubOptions, isHubFloat } from './hub-config.ts'
import { HEAD_CONFIG, HEAD_TENSORS, HUB_VERSION, headConfig, headFile, headTensors, headTensorsOf, readHeadConfig } from './hub-head.ts'
import { type Fields, isFields, readFields, writeText } from './json-file.ts'
import { headOutputs, labelNames } from './labels.ts'
import { refusePickle } from './pickle.ts'
import { pythonJson } from './python-json.ts'
import { entriesOf, readStored, type Stored, writeStored } from './stored-tensors.ts'

const CONFIG = 'adapter_config.json'
const TENSORS = 'adapter.safetensors'
const DEFAULT_NAME = 'adatune'

/** adapter-hub's names within a module's adapter. */
const ends: Readonly<Record<string, string>> = {
  'down.weight': 'adapter_down.0.weight',
  'down.bias': 'adapter_down.0.bias',
  'up.weight': 'adapter_up.weight',
  'up.bias': 'adapter_up.bias',
}

function hubTensors({ model, outline }: Subject, method: Method, adapter: string): Stored[] {
  const prefix = `${model.wiring.prefix}.`
  return outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]): Stored => {
      const name = `${(site as BranchSite).module}.adapters.${adapter}.${ends[role]}`
      return { name: parameterName(site, role), as: [name, name.startsWith(prefix) ? name.slice(prefix.length) : name], shape }
    }),
  )
}

function write(folder: string, { options, state, card }: Adapter, subject: Subject): void {
  const name = card.adapterName ?? DEFAULT_NAME
  const { model, outline } = subject
  const about = {
    config: hubConfig(options as BottleneckOptions, model),
    hidden_size: model.wiring.hidden,
    model_class: className(model, card.task),
    model_name: hubName(card.baseModel) ?? '',
    model_type: model.modelType,
    name,
    version: HUB_VERSION,
  }
  const source = (tensor: string) => state.get(tensor)
  writeStored(join(folder, TENSORS), hubTensors(subject, methodOf({ options, memory: null }, subject), name), source)
  writeText(join(folder, CONFIG), pythonJson(about, isHubFloat))
  if (![...state.keys()].some((tensor) => outline.base.has(tensor))) return
  writeStored(
    join(folder, HEAD_TENSORS),
    headTensors(subject, (tensor) => state.has(tensor)),
    source,
  )
  writeText(join(folder, HEAD_CONFIG), pythonJson(headConfig(card, subject), isHubFloat))
}

/** The `config` of the adapter; in the first release `gelu` was the name of its tanh form. */
function bottleneckFields(folder: string): Fields {
  const file = join(folder, CONFIG)
  const { config, version } = readFields(file)
  if (!isFields(config))
    throw new UserError(`${file}: "config" is no object but ${JSON.stringify(config)}; save the adapter again with adapters 1.x.`)
  const old: Readonly<Record<string, string>> = version === undefined ? { gelu: 'gelu_new', gelu_orig: 'gelu' } : {}
  return { ...config, non_linearity: old[String(config.non_linearity)] ?? config.non_linearity }
}

function describe(folder: string): Card {
  const about = readFields(join(folder, CONFIG))
  const head = readHeadConfig(folder)
  const file = headFile(folder)
  const outputs = file === null ? null : headOutputs(entriesOf(file))
  return {
    task: file === null ? null : taskOf(head?.model_class ?? about.model_class, outputs),
    labels: isFields(head?.label2id) ? labelNames(head.label2id) : null,
    outputs,
    baseModel: hubName(about.model_name),
    adapterName: typeof about.name === 'string' ? about.name : null,
    totalSteps: null,
  }
}

function read(folder: string, card: Card, subject: Subject, own: MethodOptions | null): Adapter {
  const [file, tensors] = [join(folder, CONFIG), join(folder, TENSORS)]
  if (!existsSync(tensors)) refusePickle(folder, 'pytorch_adapter.bin')
  const config = bottleneckFields(folder)
  const down = [...entriesOf(tensors)].find(([name]) => name.endsWith('.adapter_down.0.weight'))
  const options = hubOptions(config, subject.model, down?.[1].shape[0] ?? 1, file)
  const told = pythonJson(hubConfig(options, subject.model), isHubFloat)
  const mine = own?.name === 'bottleneck' && pythonJson(hubConfig(own, subject.model), isHubFloat) === told ? own : options
  const { name } = readFields(file)
  if (typeof name !== 'string') throw new UserError(`${file}: "name" is no text; it must be the adapter's name within ${TENSORS}.`)
  const state = readStored(tensors, hubTensors(subject, methodOf({ options: mine, memory: null }, subject), name))
  const head = headFile(folder)
  const rest = head === null ? [] : readStored(head, headTensorsOf(head, subject))
  return { options: mine, memory: null, state: new Map([...state, ...rest]), card }
}

/** adapter-hub's folder for bottlenecks, with the head beside it; source: adapter-hub/adapters 1.3, `save_adapter` and `save_head`. */
export const adapterHub: Format = {
  methods: ['bottleneck'],
  files: [CONFIG, TENSORS, HEAD_CONFIG, HEAD_TENSORS],
  holds: (folder) => existsSync(join(folder, CONFIG)) && 'config' in readFields(join(folder, CONFIG)),
  describe,
  write,
  read,
}
