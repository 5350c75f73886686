import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { Card, Subject } from './adapter.ts'
import { isHead } from './adapter.ts'
import { hubName } from './card.ts'
import { className } from './class-name.ts'
import { type Fields, isFields, readFields } from './json-file.ts'
import { labelMaps } from './labels.ts'
import { refusePickle } from './pickle.ts'
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

/** `head_config.json`, or null; heads of adapter-hub's flexible classes are refused. */
export function readHeadConfig(folder: string): Fields | null {
  const file = join(folder, HEAD_CONFIG)
  if (!existsSync(file)) return null
  const config = readFields(file)
  if (config.config !== null && config.config !== undefined) {
    const type = isFields(config.config) ? ` ("head_type" ${JSON.stringify(config.config.head_type)})` : ''
    const next = "save it from a static class such as BertForSequenceClassification, with the model's own head"
    throw new UserError(`${file} describes a head of a flexible class${type}, which is not supported yet; ${next}.`)
  }
  return config
}

/** The file with the head's tensors, or null where the folder holds no head. */
export function headFile(folder: string): string | null {
  const name = [HEAD_TENSORS, BARE_HEAD].find((each) => existsSync(join(folder, each)))
  if (name === undefined) refusePickle(folder, 'pytorch_model_head.bin')
  return name === undefined ? null : join(folder, name)
}

/** The head's tensors, and those of the base model that `has` says are there besides. */
export function headTensors({ model, outline }: Subject, has: (name: string) => boolean): Stored[] {
  const named = [...outline.base.values()].filter(({ name }) => isHead(model, name) || has(name))
  return named.map(({ name, shape }) => ({ name, as: [name], shape }))
}

/** What a head file must hold on this model. */
export function headTensorsOf(file: string, subject: Subject): Stored[] {
  const entries = entriesOf(file)
  return headTensors(subject, (name) => entries.has(name))
}
