import { loadTokenizer } from '../src/data/tokenizer.ts'
import { stream } from '../src/random/draws.ts'
import { keyOf } from '../src/random/key.ts'
import type { Opinion } from './opinions.ts'
import { length } from './shapes.ts'

/** Tokens of a row, and at each place the token that is asked for there, or -100; without labels, words are hidden anew when it is read. */
interface TokenRow {
  readonly input_ids: readonly number[]
  readonly labels?: readonly number[]
}

/** The share of opinions that are asked for by a hidden word behind the text; the others at its special tokens. */
const WORDED = 0.3

/** Rows that ask for verdicts; texts that do not fit are left out. */
export function questions(folder: string, opinions: readonly Opinion[]): TokenRow[] {
  const { tokens, framed, special } = loadTokenizer(folder)
  const { uniform } = stream(keyOf('questions'))
  const said = [...tokens('it was'), special.mask!, ...tokens('.')]
  return opinions.flatMap(({ text, verdict }) => {
    const worded = uniform() < WORDED
    const { ids } = framed([...tokens(text), ...(worded ? said : [])])
    if (ids.length > length) return []
    const places = worded ? [ids.lastIndexOf(special.mask!)] : [0, ids.length - 1]
    const [answer] = tokens(verdict)
    return [{ input_ids: ids, labels: ids.map((_, i) => (places.includes(i) ? answer! : -100)) }]
  })
}

/** So many rows of texts as they are read without questions, from all over them. */
export async function plainRows(folder: string, texts: AsyncIterable<string>, count: number): Promise<TokenRow[]> {
  const { tokens, framed } = loadTokenizer(folder)
  const all: number[] = []
  for await (const text of texts) for (const id of tokens(text)) all.push(id)
  const size = length - 2
  const blocks = Math.floor(all.length / size)
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * blocks) / count) * size
    return { input_ids: framed(all.slice(start, start + size)).ids }
  })
}
