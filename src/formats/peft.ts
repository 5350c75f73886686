import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readFields } from '../json-file.ts'
import type { AllocationMemory } from '../methods/allocator.ts'
import { writeText } from '../weights/atomic-file.ts'
import { readTensor } from '../weights/safetensors.ts'
import { checkRanks, keptAlone } from './adalora-ranks.ts'
import type { Adapter, Card, Format, Subject, Warn } from './adapter.ts'
import { methodOf } from './adapter.ts'
import { peftCard } from './peft-card.ts'
import { isPeftFloat, type PeftOptions, peftConfig, sameConfig } from './peft-config.ts'
import { checkExpressions } from './peft-expressions.ts'
import { modulesToSave } from './peft-head.ts'
import { peftOptions } from './peft-options.ts'
import { withoutOverlap } from './peft-overlap.ts'
import { refuseUnsupported } from './peft-refusals.ts'
import { targeted } from './peft-targets.ts'
import { peftTensors } from './peft-tensors.ts'
import { PEFT_CONFIG, PEFT_TENSORS } from './peft-version.ts'
import { pythonJson } from './python-json.ts'
import { readStored, tensorFile, writeStored } from './stored-tensors.ts'

function write(folder: string, adapter: Adapter, subject: Subject): void {
  const { card, ...given } = withoutOverlap(adapter, subject)
  const options = given.options as PeftOptions
  const { state, memory } = keptAlone(given.state, given.memory as AllocationMemory | null)
  const method = methodOf({ options, memory }, subject)
  const trained = [...state.keys()].filter((name) => subject.outline.base.has(name))
  const saved = modulesToSave(
    card.task,
    trained.filter((name) => !method.trains(subject.outline.base.get(name)!)),
  )
  const config = peftConfig({ options, memory, card, saved, subject })
  const source = (name: string) => {
    const entry = state.has(name) ? null : subject.model.find(name)
    return entry ? { shape: entry.shape, data: () => readTensor(entry) } : state.get(name)
  }
  writeStored(join(folder, PEFT_TENSORS[0]), peftTensors(subject, method, memory, saved ?? []), source, { format: 'pt' })
  writeText(join(folder, PEFT_CONFIG), pythonJson(config, isPeftFloat))
}

function read(folder: string, card: Card, subject: Subject, own: Adapter['options'] | null, warn: Warn): Adapter {
  const [file, tensors] = [join(folder, PEFT_CONFIG), tensorFile(folder, PEFT_TENSORS)]
  const config = readFields(file)
  refuseUnsupported(config, file)
  checkExpressions(config, subject, file)
  const { options: told, memory, targets } = peftOptions(config, subject, file, warn)
  const saved = targets.modules_to_save
  const isOwn = own?.name === told.name && sameConfig(peftConfig({ options: own as PeftOptions, memory, card, saved, subject }), config)
  const options = isOwn ? own : told
  if (options.name === 'adalora') checkRanks(options, memory, subject, file)
  const method = methodOf({ options, memory }, subject)
  // With every bias trained, PEFT also writes the copies of a head's bias that its wrapper holds.
  const copies = (name: string): boolean => /\.(original_module|modules_to_save)\.(.*\.)?bias$/.test(name)
  return { options, memory, state: readStored(tensors, peftTensors(subject, method, memory, saved ?? []), warn, copies), card }
}

/** HF PEFT's folder for methods that act at linear maps; source: huggingface/peft 0.21, `save_pretrained`. */
export const peft: Format = {
  methods: ['lora', 'adalora', 'ia3', 'vera'],
  // PEFT has no name for a part of a map.
  keeps: (options, subject) => targeted(options as PeftOptions, subject).every(({ within }) => within === undefined),
  library: 'HF PEFT',
  files: [PEFT_CONFIG, PEFT_TENSORS[0]],
  holds: (folder) => existsSync(join(folder, PEFT_CONFIG)) && 'peft_type' in readFields(join(folder, PEFT_CONFIG)),
  describe: (folder) => peftCard(folder, 'base_model.model.'),
  write,
  read,
}
