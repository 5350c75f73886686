import type { Stream } from '../../src/random/draws.ts'

const one = <T>(draws: Stream, choices: readonly T[]): T => choices[draws.below(choices.length)]!
const text = '{}[]",:\\-+.0123456789eEnulltrfas*()|?^$ '

/** JSON that means trouble where it is not looked for; `1e999` is read as infinity. */
const values = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1', '2', '3', '7', '0.5', '1e999', '-1e999', '1e308', '1e-320', '9007199254740993'],
  ...['4294967296', '100000000', '""', '"x"', '"("', '".*"', '"all-linear"', '"__proto__"', '"constructor"', '"F16"', '"I64"', '"U8"'],
  ...[
    '[]',
    '{}',
    '[0]',
    '[-1]',
    '["query"]',
    '["("]',
    '[1e999]',
    '{"query":2}',
    '{"(":2}',
    '{"x":1e999}',
    '{"__proto__":{"a":1}}',
    '[[0,2]]',
  ],
]

interface Edit {
  readonly bytes: Buffer
  /** For the message of a failure. */
  readonly how: string
}

const spliced = (bytes: Buffer, at: number, remove: number, insert: Uint8Array, how: string): Edit => ({
  bytes: Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]),
  how: `${how} at ${at}`,
})

/** Where the JSON of a file is: its header for safetensors, else all. */
function jsonRange(bytes: Buffer): { start: number; end: number } {
  if (bytes[0] === 0x7b || bytes.length < 8) return { start: 0, end: bytes.length }
  return { start: 8, end: Math.min(bytes.length, 8 + Number(bytes.readBigUInt64LE(0))) }
}

/** Replaces a key or value of the JSON, in the text as it stands; a header keeps its length where it can. */
function inJson(bytes: Buffer, draws: Stream): Edit {
  const { start, end } = jsonRange(bytes)
  const json = bytes.subarray(start, end).toString('latin1')
  const tokens = [...json.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\[[^[\]{}]*\]|\{\}/g)]
  const token = one(draws, tokens)
  const value = Buffer.from(one(draws, values))
  const edit = spliced(bytes, start + token.index, token[0].length, value, `${token[0]} becomes ${value}`)
  if (start === 0) return edit
  const longer = value.length - token[0].length
  const result = Buffer.from(edit.bytes)
  result.writeBigUInt64LE(BigInt(end - start + longer))
  return { ...edit, bytes: result }
}

const edits: readonly ((bytes: Buffer, draws: Stream) => Edit)[] = [
  (bytes, draws) => {
    const at = draws.below(bytes.length)
    return spliced(bytes, at, 1, Uint8Array.of(bytes[at]! ^ (1 << draws.below(8))), 'a bit flipped')
  },
  (bytes, draws) => spliced(bytes, draws.below(bytes.length), 1, Uint8Array.of(draws.below(256)), 'another byte'),
  (bytes, draws) => {
    const { start, end } = jsonRange(bytes)
    const at = start + draws.below(Math.max(1, end - start))
    return spliced(bytes, at, draws.below(2), Buffer.from(one(draws, [...text])), 'a character')
  },
  inJson,
  inJson,
  (bytes, draws) => spliced(bytes, draws.below(bytes.length), 1 + draws.below(40), new Uint8Array(0), 'bytes removed'),
  (bytes, draws) => {
    const [at, from, size] = [draws.below(bytes.length), draws.below(bytes.length), 1 + draws.below(60)]
    return spliced(bytes, at, size, bytes.subarray(from, from + size), `${size} bytes from ${from}`)
  },
  (bytes, draws) => spliced(bytes, draws.below(bytes.length), bytes.length, new Uint8Array(0), 'cut short'),
  (bytes, draws) =>
    spliced(
      bytes,
      0,
      8,
      Uint8Array.from({ length: 8 }, () => draws.below(256)),
      'another length',
    ),
]

/** A file changed at one place. */
export const mutate = (bytes: Buffer, draws: Stream): Edit => one(draws, edits)(bytes, draws)
