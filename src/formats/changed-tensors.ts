import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { PlainOptions } from '../methods/index.ts'
import { parameterName } from '../nn/method.ts'
import type { Adapter, Card, Format, Subject, Warn } from './adapter.ts'
import { isHead, methodOf } from './adapter.ts'
import { CARD_FILE, readCard } from './card.ts'
import { entriesOf, readStored, type Stored, writeStored } from './stored-tensors.ts'

const TENSORS = 'adapter.safetensors'

/** The tensors that the method trains, the head's, and those that `has` says are there besides. */
function changed(options: PlainOptions, subject: Subject, has: (name: string) => boolean): Stored[] {
  const method = methodOf({ options, memory: null }, subject)
  const { sites, base } = subject.outline
  const replaced = new Set(sites.flatMap((site) => Object.keys(method.parameters(site)).map((role) => parameterName(site, role))))
  const named = [...base.values()].filter(
    (tensor) => replaced.has(tensor.name) || method.trains(tensor) || isHead(subject.model, tensor.name) || has(tensor.name),
  )
  return named.map(({ name, shape }) => ({ name, as: [name], shape }))
}

function write(folder: string, { options, state }: Adapter, subject: Subject): void {
  writeStored(
    join(folder, TENSORS),
    changed(options, subject, (name) => state.has(name)),
    (name) => state.get(name),
  )
}

/** Without adatune's note the tensors cannot be understood. */
const unnamed = (folder: string): UserError =>
  new UserError(`${folder} lacks ${CARD_FILE}, which says what its tensors are; copy it again.`)

function read(folder: string, card: Card, subject: Subject, own: PlainOptions | null, warn: Warn): Adapter {
  if (own === null) throw unnamed(folder)
  const file = join(folder, TENSORS)
  const entries = entriesOf(file)
  return {
    options: own,
    memory: null,
    state: readStored(
      file,
      changed(own, subject, (name) => entries.has(name)),
      warn,
    ),
    card,
  }
}

/** adatune's own folder for methods that train some tensors of the model: these alone, under HF's names. */
export const changedTensors: Format = {
  methods: ['bitfit', 'head'],
  library: null,
  files: [TENSORS],
  holds: (folder) => ['bitfit', 'head'].includes(readCard(folder)?.options.name ?? '') && existsSync(join(folder, TENSORS)),
  describe: (folder) => {
    throw unnamed(folder)
  },
  write,
  read,
}
