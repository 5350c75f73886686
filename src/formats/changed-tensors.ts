import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { Adapter, AdapterOptions, Card, Format, Subject } from './adapter.ts'
import { isHead, methodOf } from './adapter.ts'
import { CARD_FILE, readCard } from './card.ts'
import { entriesOf, readStored, type Stored, writeStored } from './stored-tensors.ts'

const TENSORS = 'adapter.safetensors'

/** The tensors that the method trains, the head's, and those that `has` says are there besides. */
function changed(options: AdapterOptions, subject: Subject, has: (name: string) => boolean): Stored[] {
  const method = methodOf({ options, memory: null }, subject)
  const named = [...subject.outline.base.values()].filter(
    (tensor) => method.trains(tensor) || isHead(subject.model, tensor.name) || has(tensor.name),
  )
  return named.map(({ name, shape }) => ({ name, as: [name], shape }))
}

function write(folder: string, { options, state }: Adapter, subject: Subject): void {
  writeStored(join(folder, TENSORS), changed(options, subject, (name) => state.has(name)), (name) => state.get(name))
}

function describe(folder: string): Card {
  throw new UserError(`${folder} lacks ${CARD_FILE}, without which its tensors cannot be understood; copy it again.`)
}

function read(folder: string, card: Card, subject: Subject, own: AdapterOptions | null): Adapter {
  if (own === null) return describe(folder) as never
  const file = join(folder, TENSORS)
  const entries = entriesOf(file)
  return { options: own, memory: null, state: readStored(file, changed(own, subject, (name) => entries.has(name))), card }
}

/** adatune's own folder for methods that train some tensors of the model: these alone, under HF's names. */
export const changedTensors: Format = {
  methods: ['bitfit', 'head'],
  files: [TENSORS],
  holds: (folder) => ['bitfit', 'head'].includes(readCard(folder)?.options.name ?? '') && existsSync(join(folder, TENSORS)),
  describe,
  write,
  read,
}
