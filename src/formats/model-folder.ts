import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { isObject } from '../is-object.ts'
import { readFields } from '../json-file.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Model } from '../models/open.ts'
import type { BaseParameter, Tensor } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'
import { writeAtomically, writeText } from '../weights/atomic-file.ts'
import { hasWeights, openCheckpoint, WEIGHTS_FILE } from '../weights/checkpoint.ts'
import { readTensor } from '../weights/safetensors.ts'
import type { TensorSource } from '../weights/write-safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import type { Adapter, Card, Format, Subject } from './adapter.ts'
import { methodOf } from './adapter.ts'
import { CARD_FILE, writeCard } from './card.ts'
import { taskOf } from './class-name.ts'
import { replaceFolder } from './folder-replacement.ts'
import { labelNames } from './labels.ts'
import { isConfigFloat, modelConfig } from './model-config.ts'
import { pythonJson } from './python-json.ts'

const CONFIG = 'config.json'

/** What tokenizers keep in a model folder, and how its texts are written. */
const filesBeside = [
  'added_tokens.json',
  'chat_template.jinja',
  'generation_config.json',
  'merges.txt',
  'sentencepiece.bpe.model',
  'special_tokens_map.json',
  'spiece.model',
  'spm.model',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.json',
  'vocab.txt',
]
const files = [CONFIG, WEIGHTS_FILE, ...filesBeside]

type BaseParameters = ReadonlyMap<string, BaseParameter>

/** The tensors of the model, those of `state` in place of the checkpoint's. */
function* tensorsOf(model: Model, state: ReadonlyMap<string, Tensor>, base: BaseParameters): Generator<[string, TensorSource]> {
  for (const { name, shape } of base.values()) {
    const entry = state.has(name) ? null : model.find(name)
    const found = entry ? { shape: entry.shape, data: () => readTensor(entry) } : state.get(name)
    if (!found) throw new UserError(`${model.folder} has no tensor "${name}", and it was not trained; give a model that has it.`)
    if (found.shape.join() !== shape.join())
      throw new UserError(`${model.folder}: the tensor "${name}" is [${found.shape}], not [${shape}].`)
    yield [name, found]
  }
}

function writeModel(folder: string, model: Model, state: ReadonlyMap<string, Tensor>, card: Card, base: BaseParameters): void {
  writeSafetensors(join(folder, WEIGHTS_FILE), tensorsOf(model, state, base), { format: 'pt' })
  writeText(join(folder, CONFIG), `${pythonJson(modelConfig(model, card), isConfigFloat)}\n`)
  for (const name of filesBeside) {
    const file = join(model.folder, name)
    if (existsSync(file)) writeAtomically(join(folder, name), (append) => append(explained(file, () => readFileSync(file))))
  }
}

/**
 * Writes a whole model as a folder for transformers, in float32: every tensor of `base` under HF's name, from `state` where
 * it is there, else from the checkpoint; `config.json` for the card's task; the files beside it.
 */
export function saveModel(folder: string, model: Model, state: ReadonlyMap<string, Tensor>, card: Card, base: BaseParameters): void {
  replaceFolder(folder, CARD_FILE, [CARD_FILE, ...files], (temporary) => {
    writeModel(temporary, model, state, card, base)
    writeCard(temporary, { name: 'full', layers: null }, card, null)
  })
}

function describe(folder: string): Card {
  const { architectures, label2id, id2label } = readFields(join(folder, CONFIG))
  const outputs = isObject(id2label) ? Object.keys(id2label).length : 2
  const task = taskOf(Array.isArray(architectures) ? architectures[0] : null, outputs)
  const labels = isObject(label2id) ? labelNames(label2id) : null
  return { task, labels, outputs: task === null ? null : outputs, baseModel: null, adapterName: null, totalSteps: null }
}

/** The trained tensors: the method's, the head's, and others that differ from the given model's. */
function read(folder: string, card: Card, subject: Subject, own: MethodOptions | null): Adapter {
  const options: MethodOptions = own?.name === 'full' ? own : { name: 'full', layers: null }
  const method = methodOf({ options, memory: null }, subject)
  const { model, outline } = subject
  const { tensors } = openCheckpoint(folder)
  const state = new Map<string, Tensor>()
  for (const parameter of outline.base.values()) {
    const { name, shape } = parameter
    const bare = name.startsWith(`${model.wiring.prefix}.`) ? name.slice(model.wiring.prefix.length + 1) : name
    const entry = tensors.get(name) ?? tensors.get(bare)
    if (!entry) throw new UserError(`${folder} lacks the tensor "${name}"; check that this is the model and task that it was trained for.`)
    if (entry.shape.join() !== shape.join()) {
      throw new UserError(
        `${folder}: the tensor "${name}" is [${entry.shape}], but with this model and task it would be [${shape}]; check both.`,
      )
    }
    const data = readTensor(entry)
    const original = method.trains(parameter) || isHead(subject.outline, name) ? null : model.find(name)
    if (!original || readTensor(original).some((value, i) => !Object.is(value, data[i]))) state.set(name, { shape, data })
  }
  return { options, memory: null, state, card }
}

/** HF's model folder; source: transformers, `save_pretrained`. */
export const modelFolder: Format = {
  methods: ['full'],
  library: 'transformers',
  files,
  holds: (folder) => existsSync(join(folder, CONFIG)) && hasWeights(folder),
  describe,
  write: (folder, { state, card }, { model, outline }) => writeModel(folder, model, state, card, outline.base),
  read,
}
