import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { Tensor } from '../nn/method.ts'
import { readHeader, readTensor } from '../weights/safetensors.ts'
import type { TensorEntry } from '../weights/tensor-entry.ts'
import { readTorchTensors } from '../weights/torch-file.ts'
import type { TensorSource } from '../weights/write-safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import type { Warn } from './adapter.ts'

/** Where a tensor of the training state is kept in a file. */
export interface Stored {
  /** The state's name. */
  readonly name: string
  /** The file's name for it, and after it names that are read as well. */
  readonly as: readonly [string, ...string[]]
  /** A shape without elements stands for a tensor that the state does not have. */
  readonly shape: readonly number[]
}

const isEmpty = ({ shape }: Stored): boolean => shape.includes(0)
const MOST_LISTED = 12

/** The names, the first of them at most; `thing` is what they are, in the singular. */
function listed(thing: string, names: readonly string[]): string {
  const shown = names.slice(0, MOST_LISTED).map((name) => JSON.stringify(name))
  const rest = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  return `${names.length === 1 ? `the ${thing}` : `${names.length} ${thing}s:`} ${shown.join(', ')}${rest}`
}

/** Writes what `source` gives for each name. A tensor that is missing or has another shape is a fault of the program. */
export function writeStored(
  file: string,
  stored: readonly Stored[],
  source: (name: string) => TensorSource | undefined,
  metadata?: Readonly<Record<string, string>>,
): void {
  const tensors = stored.map((place): [string, TensorSource] => {
    const found = isEmpty(place) ? { shape: place.shape, data: new Float32Array(0) } : source(place.name)
    if (!found) throw new Error(`the state lacks "${place.name}"`)
    if (found.shape.join() !== place.shape.join()) throw new Error(`"${place.name}" is [${found.shape}], not [${place.shape}]`)
    return [place.as[0], found]
  })
  writeSafetensors(file, tensors, metadata)
}

/** The first of the files that is there, else the path of the first. */
export function tensorFile(folder: string, names: readonly [string, ...string[]]): string {
  return join(folder, names.find((name) => existsSync(join(folder, name))) ?? names[0])
}

/** The tensors of a file by name: safetensors, or what torch saved as `.bin`. Throws UserError where it holds anything else. */
export const entriesOf = (file: string): ReadonlyMap<string, TensorEntry> =>
  file.endsWith('.bin') ? readTorchTensors(file) : readHeader(file).tensors

/**
 * Reads every tensor that is asked for to the state's names, in the order of `stored`. `warn` is told of others in the file but
 * those that `ignored` holds for; where it is null, they are an error.
 * @throws UserError where one is missing, has another shape or holds no floating point numbers
 */
export function readStored(
  file: string,
  stored: readonly Stored[],
  warn: Warn | null,
  ignored: (name: string) => boolean = () => false,
): Map<string, Tensor> {
  const entries = entriesOf(file)
  const found = stored.map(({ as }) => as.find((name) => entries.has(name)))
  const missing = stored.flatMap(({ as }, i) => (found[i] === undefined ? [as[0]] : []))
  if (missing.length > 0) {
    const hint = 'check that this is the model and task that the adapter was trained for'
    throw new UserError(`${file} lacks ${listed('tensor', missing)}; ${hint}.`)
  }
  const extra = [...entries.keys()].filter((name) => !found.includes(name) && !ignored(name))
  if (extra.length > 0) {
    const what = `${file} also holds ${listed('tensor', extra)}, with no place here`
    const hint = 'check that model, task and config are those it was saved with'
    if (!warn) throw new UserError(`${what}; ${hint}.`)
    warn(`${what}; passed over, so ${hint}.`)
  }
  const state = new Map<string, Tensor>()
  stored.forEach((place, i) => {
    const entry = entries.get(found[i]!)!
    if (entry.shape.join() !== place.shape.join()) {
      const expected = `with this model and config it would be [${place.shape}]; check both`
      throw new UserError(`${file}: the tensor "${found[i]}" is [${entry.shape}], but ${expected}.`)
    }
    if (!isEmpty(place)) state.set(place.name, { shape: place.shape, data: readTensor(entry) })
  })
  return state
}
