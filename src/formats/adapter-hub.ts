import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import { readFields } from '../json-file.ts'
import type { MethodName, MethodOptions } from '../methods/index.ts'
import { writeText } from '../weights/atomic-file.ts'
import type { Adapter, Card, Format, Subject, Warn } from './adapter.ts'
import { hubName } from './card.ts'
import { className } from './class-name.ts'
import type { HubArchitecture } from './hub-architecture.ts'
import { hubBottleneck } from './hub-bottleneck.ts'
import { isHubFloat } from './hub-config.ts'
import { HEAD_CONFIG, HEAD_TENSORS, HUB_VERSION, headConfig, headTensors, openHead } from './hub-head.ts'
import { hubLora, isHubLora } from './hub-lora.ts'
import { hubPrefix } from './hub-prefix.ts'
import { hubPrompt } from './hub-prompt.ts'
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
  ['prompt_tuning', hubPrompt],
])
/** By method. */
const writers: ReadonlyMap<MethodName, HubArchitecture> = new Map<MethodName, HubArchitecture>([
  ['bottleneck', hubBottleneck],
  ['ia3', hubLora],
  ['lora', hubLora],
  ['prefix', hubPrefix],
  ['prompt', hubPrompt],
])

function write(folder: string, { options, state, card }: Adapter, subject: Subject): void {
  const name = card.adapterName ?? DEFAULT_NAME
  const { model, outline } = subject
  const writer = writers.get(options.name)!
  const writing = writer.write(options, state, name, subject)
  const about = {
    config: writer.config(options, subject),
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

/** What adapter-hub alone can hold; prompts not of models with a decoder. */
const isItsOwn = (options: MethodOptions, { model }: Subject): boolean =>
  options.name === 'bottleneck' ||
  (options.name === 'prefix' && options.positions === 'own') ||
  (options.name === 'prompt' && options.place === 'embedded' && !model.wiring.decoder)

/** The options that adatune noted, where they say the same as the files. */
function noted(told: MethodOptions, own: MethodOptions | null, subject: Subject): MethodOptions {
  const text = (options: MethodOptions): string => pythonJson(writers.get(options.name)!.config(options, subject), isHubFloat)
  return own?.name === told.name && text(own) === text(told) ? own : told
}

function read(folder: string, card: Card, subject: Subject, own: MethodOptions | null, warn: Warn): Adapter {
  const [file, tensors] = [join(folder, CONFIG), tensorFile(folder, [TENSORS, 'pytorch_adapter.bin'])]
  const about = readFields(file)
  const { config, name } = about
  if (!isObject(config))
    throw new UserError(`${file}: "config" is no object but ${JSON.stringify(config)}; save the adapter again with adapters 1.x.`)
  const architecture = architectures.get(config.architecture)
  if (!architecture) {
    const kind = JSON.stringify(config.architecture)
    throw new UserError(
      `${file}: adapters of the "architecture" ${kind} are not supported: bottlenecks, lora, prefix_tuning and prompt_tuning are.`,
    )
  }
  if (typeof name !== 'string') throw new UserError(`${file}: "name" is no text; it must be the adapter's name within its tensors' names.`)
  warnOfType(about.model_type, subject, file, warn)
  const { options, stored, ignored, settle } = architecture.read({ config, about, name, entries: entriesOf(tensors), file, subject })
  const found = readStored(tensors, stored, warn, ignored)
  const head = openHead(folder, about.model_class)
  const rest = head === null ? [] : readStored(head.file, head.stored(subject), warn)
  return { options: noted(options, own, subject), memory: null, state: new Map([...(settle?.(found) ?? found), ...rest]), card }
}

/** adapter-hub's folder, with the head beside it; source: adapter-hub/adapters 1.3, `save_adapter` and `save_head`. */
export const adapterHub: Format = {
  methods: [...writers.keys()],
  // What PEFT has too goes back to where it came from, known by its name.
  keeps: (options, subject, { adapterName }) => isItsOwn(options, subject) || (adapterName !== null && isHubLora(options)),
  library: 'adapters',
  files: [CONFIG, TENSORS, HEAD_CONFIG, HEAD_TENSORS],
  holds: (folder) => existsSync(join(folder, CONFIG)) && 'config' in readFields(join(folder, CONFIG)),
  describe,
  write,
  read,
}
