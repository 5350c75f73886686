import type { Tokenizer } from '../../src/data/tokenizer.ts'

const unused = (): never => {
  throw new Error('this tokenizer has nothing of the kind')
}

/** A tokenizer that can do no more than is given. */
export const simpleTokenizer = (parts: Partial<Tokenizer>): Tokenizer => ({
  encode: unused,
  locate: unused,
  joined: unused,
  tokens: unused,
  framed: unused,
  special: { all: new Set(), mask: null, unknown: null },
  chat: unused,
  word: String,
  decode: (ids) => ids.join(' '),
  ...parts,
})
