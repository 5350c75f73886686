import { UserError } from '../errors.ts'

/** A global by its module and name; nothing of that name is looked for. */
export interface Global {
  readonly kind: 'global'
  readonly name: string
}
interface Tuple {
  readonly kind: 'tuple'
  readonly items: readonly Value[]
}
/** A dict; the pickle's own object, so that it fills after it was named. */
interface Dict {
  readonly kind: 'dict'
  readonly entries: Map<Value, Value>
}
/** What `reduce` or `persistent` made. */
export interface Made {
  readonly kind: 'made'
  readonly made: unknown
}
export type Value = null | boolean | number | string | Global | Tuple | Dict | Made

/** What stands for the few globals and storages that are known; both throw UserError for any other. */
export interface Meanings {
  /** Called for each global, before anything is made of it. */
  readonly check: (name: string) => void
  readonly reduce: (name: string, args: readonly Value[]) => Value
  readonly persistent: (id: Value) => Made
}

const MARK = Symbol('mark')

/**
 * Reads a pickle that is made of dicts, tuples, texts, numbers and what `meanings` gives. A fixed list of opcodes is known (Python's
 * pickletools.py describes them); none of them calls, imports or sets anything, and each takes time and memory in proportion to the
 * bytes it reads.
 * @throws UserError for any other opcode, and where the stack does not fit
 */
export function readPickle(bytes: Uint8Array, file: string, meanings: Meanings): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stack: (Value | typeof MARK)[] = []
  const memo = new Map<number, Value>()
  let at = 0
  const damaged = (what: string): UserError => new UserError(`${file}: its pickle ${what}; save it again, as safetensors.`)
  const take = (count: number): number => {
    if (count > bytes.length - at) throw damaged('is cut short')
    at += count
    return at - count
  }
  const text = (count: number): string => {
    const start = take(count)
    return Buffer.from(bytes.subarray(start, at)).toString('utf8')
  }
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at)
    if (end < 0) throw damaged('is cut short')
    const found = text(end - at)
    at++
    return found
  }
  const pop = (): Value => {
    const value = stack.pop()
    if (value === undefined || value === MARK) throw damaged('takes a value where there is none')
    return value
  }
  const popTo = (): Value[] => {
    const from = stack.lastIndexOf(MARK)
    if (from < 0) throw damaged('takes a mark where there is none')
    return stack.splice(from).slice(1) as Value[]
  }
  const items = (count: number): Value[] => Array.from({ length: count }, pop).reverse()
  const top = (): Value => {
    const value = pop()
    stack.push(value)
    return value
  }
  const fill = (pairs: readonly Value[]): void => {
    const dict = top()
    if (typeof dict !== 'object' || dict?.kind !== 'dict' || pairs.length % 2 !== 0) throw damaged('fills what is no dict')
    for (let i = 0; i < pairs.length; i += 2) dict.entries.set(pairs[i]!, pairs[i + 1]!)
  }
  const known = (index: number): Value => {
    const value = memo.get(index)
    if (value === undefined) throw damaged('recalls what it never kept')
    return value
  }
  const tuple = (values: Value[]): number => stack.push({ kind: 'tuple', items: values })
  const opcodes: Readonly<Record<number, () => unknown>> = {
    40: () => stack.push(MARK), // (
    41: () => tuple([]), // )
    71: () => stack.push(view.getFloat64(take(8))), // G
    74: () => stack.push(view.getInt32(take(4), true)), // J
    75: () => stack.push(view.getUint8(take(1))), // K
    77: () => stack.push(view.getUint16(take(2), true)), // M
    78: () => stack.push(null), // N
    81: () => stack.push(meanings.persistent(pop())), // Q
    82: () => {
      const args = pop()
      const called = pop()
      if (typeof args !== 'object' || args?.kind !== 'tuple' || typeof called !== 'object' || called?.kind !== 'global')
        throw damaged('makes something of what is no known name')
      stack.push(meanings.reduce(called.name, args.items))
    }, // R
    88: () => stack.push(text(view.getUint32(take(4), true))), // X
    98: () => {
      // State of an OrderedDict, such as the versions of a module's tensors.
      pop()
      const target = top()
      if (typeof target !== 'object' || target?.kind !== 'dict') throw damaged('changes what is no dict')
    }, // b
    99: () => {
      const name = `${line()}.${line()}`
      meanings.check(name)
      stack.push({ kind: 'global', name })
    }, // c
    104: () => stack.push(known(view.getUint8(take(1)))), // h
    106: () => stack.push(known(view.getUint32(take(4), true))), // j
    113: () => memo.set(view.getUint8(take(1)), top()), // q
    114: () => memo.set(view.getUint32(take(4), true), top()), // r
    115: () => fill(items(2)), // s
    116: () => tuple(popTo()), // t
    117: () => fill(popTo()), // u
    125: () => stack.push({ kind: 'dict', entries: new Map() }), // }
    133: () => tuple(items(1)), // TUPLE1
    134: () => tuple(items(2)), // TUPLE2
    135: () => tuple(items(3)), // TUPLE3
    136: () => stack.push(true), // NEWTRUE
    137: () => stack.push(false), // NEWFALSE
  }
  if (bytes[0] !== 0x80 || (bytes[1] !== 2 && bytes[1] !== 3)) throw damaged('has another protocol than 2 or 3')
  at = 2
  for (;;) {
    const opcode = view.getUint8(take(1))
    if (opcode === 0x2e) break
    const run = opcodes[opcode]
    if (!run) throw damaged(`has the opcode 0x${opcode.toString(16)} at byte ${at - 1}, which no file of tensors needs`)
    run()
  }
  const value = pop()
  if (stack.length > 0 || at !== bytes.length) throw damaged('holds more than one value')
  return value
}
