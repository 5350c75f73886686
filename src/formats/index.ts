import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import type { Adapter, Card, Format, Subject, Warn } from './adapter.ts'
import { adapterHub } from './adapter-hub.ts'
import { otherModel } from './base-model.ts'
import { baseWeights, otherWeights } from './base-weights.ts'
import { CARD_FILE, checkFiles, readCard, writeCard } from './card.ts'
import { changedTensors } from './changed-tensors.ts'
import { isExpertsFile } from './experts.ts'
import { replaceFolder } from './folder-replacement.ts'
import { headOutputs } from './labels.ts'
import { modelFolder } from './model-folder.ts'
import { peft } from './peft.ts'
import { peftPrompts } from './peft-prompts.ts'

export { type Adapter, type Card, methodOf, type Subject, type Warn } from './adapter.ts'
export { nameOnHub } from './card.ts'
export { EXPERTS_FILE, isExpertsFile, loadExperts, type Mixture, saveExperts } from './experts.ts'
export { isMergeable, mergeState, unmergeState } from './merged-weights.ts'
export { saveModel } from './model-folder.ts'

/** Every format, in the order in which a folder is tried. */
const formats: readonly Format[] = [adapterHub, peftPrompts, peft, modelFolder, changedTensors]
const allFiles = [CARD_FILE, ...new Set(formats.flatMap(({ files }) => files))]

function formatOf(folder: string): Format {
  if (isExpertsFile(folder)) throw new UserError(`${folder} is a file; give the folder of an adapter, of a run its folder "adapter".`)
  if (!existsSync(folder)) throw new UserError(`There is no folder ${folder}; check the path.`)
  const entries = explained(folder, () => readdirSync(folder, { withFileTypes: true }))
  const found = formats.find(({ holds }) => holds(folder))
  if (found) return found
  const inner = entries.find((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'adapter_config.json')))
  const hint = inner ? `its folder "${inner.name}" holds one: give that` : 'give the folder that a run, PEFT or adapters saved'
  throw new UserError(`${folder} holds no adapter that is known; ${hint}.`)
}

/** What a saved adapter tells of itself, without its model: adatune's own card, else what the format's files say. */
export function describeAdapter(folder: string): Card {
  const format = formatOf(folder)
  return readCard(folder)?.card ?? format.describe(folder)
}

/**
 * Saves an adapter in the format of its method, whole or not at all, in place of what adatune saved there before: LoRA,
 * AdaLoRA, IA3, VeRA, prompts and prefixes as HF PEFT, bottlenecks and what came from there as adapter-hub, full fine-tuning as a model folder, others as their changed tensors.
 * @throws UserError where the folder holds other files, or the file system refuses
 */
export function saveAdapter(folder: string, adapter: Adapter, subject: Subject): void {
  const { options, state, card: given } = adapter
  const format = formats.find(({ methods, keeps }) => methods.includes(options.name) && (keeps?.(options, subject, given) ?? true))
  if (!format) throw new Error(`no format keeps ${options.name}`)
  const head = new Map([...state].filter(([name]) => subject.outline.base.has(name)))
  const card = { ...given, outputs: given.outputs ?? headOutputs(head) }
  replaceFolder(folder, CARD_FILE, allFiles, (temporary) => {
    format.write(temporary, { ...adapter, card }, subject)
    writeCard(temporary, options, card, baseWeights(subject, state))
  })
}

/**
 * Loads what `saveAdapter`, HF PEFT or adapter-hub saved, for this model with its head (`describeAdapter` tells which). `warn` is
 * told of a base model with other weights (of another name where weights were not noted), of tensors that are passed over and of targets that name nothing.
 * @throws UserError where the folder is damaged, does not fit the model, or needs what adatune does not have
 */
export function loadAdapter(folder: string, subject: Subject, warn: Warn = () => {}): Adapter {
  const format = formatOf(folder)
  const own = readCard(folder)
  if (own) checkFiles(folder, own, format.library)
  const card = own?.card ?? format.describe(folder)
  const made = own?.weights ?? null
  const byName = made === null ? otherModel(folder, card.baseModel, subject.model) : null
  if (byName) warn(byName)
  const adapter = format.read(folder, card, subject, own?.options ?? null, warn)
  const found = made && baseWeights(subject, adapter.state)
  const byWeights = found && otherWeights(folder, made, found)
  if (byWeights) warn(byWeights)
  return adapter
}
