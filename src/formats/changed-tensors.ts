import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { type MethodOptions, methodNames } from '../methods/index.ts'
import { isHead } from '../nn/outline.ts'
import { readHeader } from '../weights/safetensors.ts'
import type { Adapter, Card, Format, Subject, Warn } from './adapter.ts'
import { addedBy, methodOf } from './adapter.ts'
import { CARD_FILE, readCard } from './card.ts'
import { readStored, type Stored, writeStored } from './stored-tensors.ts'
import { memoryNote, notedMemory } from './trained-note.ts'

const TENSORS = 'adapter.safetensors'

/** The method's own tensors, those of the model that it trains, the head's, and those that `has` says are there besides. */
function changed({ options, memory }: Pick<Adapter, 'options' | 'memory'>, subject: Subject, has: (name: string) => boolean): Stored[] {
  const method = methodOf({ options, memory }, subject)
  const { base } = subject.outline
  const added = new Map(addedBy(method, subject).map(({ name, shape }) => [name, shape]))
  const named = [...base.values()].filter(
    (tensor) => !added.has(tensor.name) && (method.trains(tensor) || isHead(subject.outline, tensor.name) || has(tensor.name)),
  )
  return [...[...added].map(([name, shape]) => ({ name, shape })), ...named].map(({ name, shape }) => ({ name, as: [name], shape }))
}

function write(folder: string, { options, memory, state }: Adapter, subject: Subject): void {
  writeStored(
    join(folder, TENSORS),
    changed({ options, memory }, subject, (name) => state.has(name)),
    (name) => state.get(name),
    memoryNote(memory),
  )
}

/** Without adatune's note the tensors cannot be understood. */
const unnamed = (folder: string): UserError =>
  new UserError(`${folder} lacks ${CARD_FILE}, which says what its tensors are; copy it again.`)

function read(folder: string, card: Card, subject: Subject, own: MethodOptions | null, warn: Warn): Adapter {
  if (own === null) throw unnamed(folder)
  const file = join(folder, TENSORS)
  const { tensors, metadata } = readHeader(file)
  const memory = notedMemory(file, metadata)
  const stored = changed({ options: own, memory }, subject, (name) => tensors.has(name))
  return { options: own, memory, state: readStored(file, stored, warn), card }
}

/**
 * adatune's own folder for methods that no other format keeps: what is trained, tensors of the model under HF's names, the method's own
 * as `<site>.<role>`, and experts that stay apart as stacks.
 */
export const changedTensors: Format = {
  methods: methodNames,
  library: null,
  files: [TENSORS],
  holds: (folder) => readCard(folder) !== null && existsSync(join(folder, TENSORS)),
  describe: (folder) => {
    throw unnamed(folder)
  },
  write,
  read,
}
