import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Adapter, Card, Format, Subject, Warn } from './adapter.ts'
import { hubName } from './card.ts'
import { className } from './class-name.ts'
import type { HubArchitecture } from './hub-architecture.ts'
import { hubBottleneck } from './hub-bottleneck.ts'
import { isHubFloat } from './hub-config.ts'
import { HEAD_CONFIG, HEAD_TENSORS, HUB_VERSION, headConfig, headTensors, openHead } from './hub-head.ts'
import { hubLora } from './hub-lora.ts'
import { hubPrefix } from './hub-prefix.ts'
import { isFields, readFields, writeText } from './json-file.ts'
import { pythonJson } from './python-json.ts'
import { entriesOf, readStored, tensorFile, writeStored } from './stored-tensors.ts'

const CONFIG = 'adapter_config.json'
const TENSORS = 'adapter.safetensors'
const DEFAULT_NAME = 'adatune'

/** By `config.architecture`; bottlenecks have none. */
const architectures: ReadonlyMap<unknown, HubArchitecture> = new Map<unknown, HubArchitecture>([
  [undefined, hubBottleneck],
  [null, hubBottleneck],
  ['lora', hubLora],
  ['prefix_tuning', hubPrefix],
])
const writers: Readonly<Partial<Record<MethodOptions['name'], HubArchitecture>>> = { bottleneck: hubBottleneck, prefix: hubPrefix }

function write(folder: string, { options, state, card }: Adapter, subject: Subject): void {
  const name = card.adapterName ?? DEFAULT_NAME
  const { model, outline } = subject
  const writing = writers[options.name]!.write!(options, state, name, subject)
  const about = {
    config: writing.config,
    hidden_size: model.wiring.hidden,
    model_class: className(model, card.task),
    model_name: hubName(card.baseModel) ?? '',
    model_type: model.modelType,
    name,
    version: HUB_VERSION,
  }
  const source = (tensor: string) => writing.state.get(tensor)
  writeStored(join(folder, TENSORS), writing.stored, source)
  writeText(join(folder, CONFIG), pythonJson(about, isHubFloat))
  if (![...state.keys()].some((tensor) => outline.base.has(tensor))) return
  writeStored(
    join(folder, HEAD_TENSORS),
    headTensors(subject, (tensor) => state.has(tensor)),
    source,
  )
  writeText(join(folder, HEAD_CONFIG), pythonJson(headConfig(card, subject), isHubFloat))
}

function describe(folder: string): Card {
  const about = readFields(join(folder, CONFIG))
  const head = openHead(folder, about.model_class)
  return {
    task: head?.task ?? null,
    labels: head?.labels ?? null,
    outputs: head?.outputs ?? null,
    baseModel: hubName(about.model_name),
    adapterName: typeof about.name === 'string' ? about.name : null,
    totalSteps: null,
  }
}

/** Says so where the adapter was made for another kind of model. */
function warnOfType(type: unknown, { model }: Subject, file: string, warn: Warn): void {
  if (typeof type !== 'string' || type === model.modelType) return
  warn(`${file}: "model_type" is "${type}", and this model is of the type "${model.modelType}"; check that it is the right model.`)
}

const refusals: Readonly<Record<string, string>> = {
  prompt_tuning: "adapter-hub's prompts follow the embeddings' norm, have no positions and leave the text its own; those here are words",
}

function read(folder: string, card: Card, subject: Subject, own: MethodOptions | null, warn: Warn): Adapter {
  const [file, tensors] = [join(folder, CONFIG), tensorFile(folder, [TENSORS, 'pytorch_adapter.bin'])]
  const about = readFields(file)
  const { config, name } = about
  if (!isFields(config))
    throw new UserError(`${file}: "config" is no object but ${JSON.stringify(config)}; save the adapter again with adapters 1.x.`)
  const architecture = architectures.get(config.architecture)
  if (!architecture) {
    const kind = JSON.stringify(config.architecture)
    const why = refusals[String(config.architecture)] ?? 'bottlenecks, lora and prefix_tuning are'
    throw new UserError(`${file}: adapters of the "architecture" ${kind} are not supported: ${why}.`)
  }
  if (typeof name !== 'string') throw new UserError(`${file}: "name" is no text; it must be the adapter's name within its tensors' names.`)
  warnOfType(about.model_type, subject, file, warn)
  const { options, stored, ignored, settle } = architecture.read({ config, about, name, entries: entriesOf(tensors), file, subject, own })
  const found = readStored(tensors, stored, warn, ignored)
  const head = openHead(folder, about.model_class)
  const rest = head === null ? [] : readStored(head.file, head.stored(subject), warn)
  return { options, memory: null, state: new Map([...(settle?.(found) ?? found), ...rest]), card }
}

/** adapter-hub's folder, with the head beside it; source: adapter-hub/adapters 1.3, `save_adapter` and `save_head`. */
export const adapterHub: Format = {
  methods: ['bottleneck', 'prefix'],
  keeps: (options) => options.name !== 'prefix' || options.positions === 'own',
  library: 'adapters',
  files: [CONFIG, TENSORS, HEAD_CONFIG, HEAD_TENSORS],
  holds: (folder) => existsSync(join(folder, CONFIG)) && 'config' in readFields(join(folder, CONFIG)),
  describe,
  write,
  read,
}
