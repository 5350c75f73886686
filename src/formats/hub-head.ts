import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskName } from '../heads/index.ts'
import { isObject } from '../is-object.ts'
import { readFields } from '../json-file.ts'
import { isHead } from '../nn/outline.ts'
import type { Card, Subject } from './adapter.ts'
import { hubName } from './card.ts'
import { className, taskOf } from './class-name.ts'
import { flexibleHead } from './hub-flexible-head.ts'
import { headOutputs, labelMaps, labelNames } from './labels.ts'
import type { Json } from './python-json.ts'
import { entriesOf, type Stored } from './stored-tensors.ts'

export const HEAD_CONFIG = 'head_config.json'
export const HEAD_TENSORS = 'model_head.safetensors'
/** A head beside an adapter, with tensors under their own names; read, never written. */
const BARE_HEAD = 'classifier.safetensors'

/** The release of adapters whose fields are written. */
export const HUB_VERSION = 'adapters.1.3.0'

/** `head_config.json` of a head that belongs to the model's class. */
export function headConfig(card: Card, { model }: Subject): Record<string, Json> {
  return {
    config: null,
    hidden_size: model.wiring.hidden,
    label2id: labelMaps(card).label2id,
    model_class: className(model, card.task),
    model_name: hubName(card.baseModel) ?? '',
    model_type: model.modelType,
    name: null,
    num_labels: card.outputs,
    version: HUB_VERSION,
  }
}

/** The head's tensors, and those of the base model that `has` says are there besides. */
export function headTensors(subject: Subject, has: (name: string) => boolean): Stored[] {
  const named = [...subject.outline.base.values()].filter(({ name }) => isHead(subject.outline, name) || has(name))
  return named.map(({ name, shape }) => ({ name, as: [name], shape }))
}

/** A head beside an adapter. */
export interface HubHead {
  readonly file: string
  readonly task: TaskName | null
  readonly labels: readonly string[] | null
  readonly outputs: number | null
  /** Where its tensors are kept. Throws UserError for a head that this model cannot have. */
  readonly stored: (subject: Subject) => Stored[]
}

/** The head in a folder, of the model's own class or of a flexible one; null where there is none. */
export function openHead(folder: string, adapterClass: unknown): HubHead | null {
  const names = [HEAD_TENSORS, BARE_HEAD, 'pytorch_model_head.bin']
  const name = names.find((each) => existsSync(join(folder, each)))
  if (name === undefined) return null
  const [file, about] = [join(folder, name), join(folder, HEAD_CONFIG)]
  const config = existsSync(about) ? readFields(about) : {}
  const entries = entriesOf(file)
  if (config.config !== null && config.config !== undefined) return { file, ...flexibleHead(config, entries, about) }
  const outputs = headOutputs(entries)
  return {
    file,
    task: taskOf(config.model_class ?? adapterClass, outputs),
    labels: isObject(config.label2id) ? labelNames(config.label2id) : null,
    outputs,
    stored: (subject) => headTensors(subject, (tensor) => entries.has(tensor)),
  }
}
