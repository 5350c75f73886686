import { crc32 } from 'node:zlib'
import { UserError } from '../errors.ts'
import { readAt, withFile } from './file-access.ts'
import { type Made, readPickle, type Value } from './pickle-values.ts'
import { DTYPE_BYTES, type Dtype, elementCount, type TensorEntry } from './tensor-entry.ts'
import { readZip, type ZipEntry } from './zip-directory.ts'

const DICT = 'collections.OrderedDict'
const TENSOR = 'torch._utils._rebuild_tensor_v2'

/** Storage classes of torch by the element type that they hold. */
const storages: Readonly<Record<string, Dtype>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
}
const known = new Set([DICT, TENSOR, ...Object.keys(storages)])

interface Storage {
  readonly dtype: Dtype
  readonly offset: number
  readonly count: number
}
type Entry = Omit<TensorEntry, 'file'>

const damaged = (file: string, what: string): UserError => new UserError(`${file}: ${what}; save it again, as safetensors.`)

const itemsOf = (value: Value | undefined): readonly Value[] => (typeof value === 'object' && value?.kind === 'tuple' ? value.items : [])

/** The storage of a persistent id: `('storage', class, key, place, elements)`. */
function storageOf(id: Value, entries: ReadonlyMap<string, ZipEntry>, root: string, file: string): Storage {
  const [kind, type, key, , count] = itemsOf(id)
  const dtype = typeof type === 'object' && type?.kind === 'global' && Object.hasOwn(storages, type.name) ? storages[type.name] : undefined
  if (kind !== 'storage' || !dtype || typeof key !== 'string') throw damaged(file, 'its pickle names a storage in no known way')
  const entry = entries.get(`${root}/data/${key}`)
  if (!entry) throw damaged(file, `the storage ${JSON.stringify(key)} is missing`)
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count * DTYPE_BYTES[dtype] !== entry.bytes)
    throw damaged(file, `the storage ${JSON.stringify(key)} has ${entry.bytes} bytes, which is not what its pickle says`)
  return { dtype, offset: entry.offset, count }
}

/** The tensor of `_rebuild_tensor_v2(storage, offset, size, stride, ...)`. Only what lies row by row is read. */
function tensorOf(args: readonly Value[], stored: ReadonlyMap<unknown, Storage>, file: string): Entry {
  const [made, start, sizes, steps] = args
  const storage = typeof made === 'object' && made?.kind === 'made' ? stored.get(made.made) : undefined
  const [shape, strides] = [itemsOf(sizes), itemsOf(steps)]
  const count = elementCount(shape)
  if (
    !storage ||
    count === undefined ||
    shape.length !== strides.length ||
    typeof start !== 'number' ||
    !Number.isSafeInteger(start) ||
    start < 0
  )
    throw damaged(file, 'its pickle describes a tensor in no known way')
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] as number
    if (count > 0 && extent > 1 && strides[axis] !== step) throw damaged(file, `a tensor [${shape}] does not lie row by row`)
    step *= extent
  }
  if (start + count > storage.count) throw damaged(file, `a tensor [${shape}] is larger than its storage`)
  const size = DTYPE_BYTES[storage.dtype]
  return { dtype: storage.dtype, shape: shape as number[], offset: storage.offset + start * size, bytes: count * size }
}

/** The entries, each with the checksum that the directory gives it. */
function checked(fd: number, file: string, size: number): Map<string, ZipEntry> {
  const entries = readZip(fd, file, size)
  for (const [name, { offset, bytes, crc }] of entries) {
    if (crc32(readAt(fd, file, offset, bytes)) !== crc) throw damaged(file, `the checksum of "${name}" is another`)
  }
  return entries
}

/**
 * The tensors of what `torch.save` made of a dict of tensors (a zip file with a pickle, torch 1.6 and later), by name. Its pickle is
 * read as data (`readPickle`): nothing in it is called or imported, and a name that is not known here is an error.
 * @throws UserError where the file is damaged or holds anything but tensors
 */
export function readTorchTensors(file: string): Map<string, TensorEntry> {
  return withFile(file, (fd, size) => {
    const magic = size < 4 ? 0 : new DataView(readAt(fd, file, 0, 4).buffer).getUint32(0, true)
    if (magic !== 0x04034b50) throw damaged(file, 'it is no zip file as torch saves since 1.6')
    const entries = checked(fd, file, size)
    const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name))
    if (pickle === undefined) throw damaged(file, 'it holds no data.pkl')
    const root = pickle.slice(0, -'/data.pkl'.length)
    const order = entries.get(`${root}/byteorder`)
    if (order && Buffer.from(readAt(fd, file, order.offset, Math.min(order.bytes, 8))).toString('latin1') !== 'little')
      throw damaged(file, 'its numbers are big-endian')
    const stored = new Map<unknown, Storage>()
    const tensors = new Map<unknown, Entry>()
    const made = <T>(table: Map<unknown, T>, value: T): Made => {
      const key = Symbol('made')
      table.set(key, value)
      return { kind: 'made', made: key }
    }
    const { offset, bytes } = entries.get(pickle)!
    const value = readPickle(readAt(fd, file, offset, bytes), file, {
      check(name) {
        if (!known.has(name))
          throw damaged(file, `its pickle names ${JSON.stringify(name)}, which is not needed for tensors and never called`)
      },
      persistent: (id) => made(stored, storageOf(id, entries, root, file)),
      reduce(name, args) {
        if (name === DICT && args.length === 0) return { kind: 'dict', entries: new Map() }
        if (name === TENSOR) return made(tensors, tensorOf(args, stored, file))
        throw damaged(file, `its pickle calls ${JSON.stringify(name)} in no known way`)
      },
    })
    if (typeof value !== 'object' || value?.kind !== 'dict') throw damaged(file, 'its pickle holds no dict of tensors')
    return new Map(
      [...value.entries].map(([name, item]) => {
        const tensor = typeof item === 'object' && item?.kind === 'made' ? tensors.get(item.made) : undefined
        if (typeof name !== 'string' || !tensor) throw damaged(file, 'its pickle holds more than tensors by name')
        return [name, { ...tensor, file }]
      }),
    )
  })
}
