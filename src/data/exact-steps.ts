import { characterMap } from './character-map.ts'

/** A normalizer of the library. */
interface Normalizer {
  readonly config: { readonly type: string } & Readonly<Record<string, unknown>>
  readonly normalizers?: readonly (Normalizer | null)[]
  normalize(text: string): string
}

/** A pre-tokenizer of the library; `tokenizers` are those of a sequence. */
interface PreTokenizer {
  readonly tokenizers?: readonly (PreTokenizer | null)[]
  pre_tokenize_text(text: string, options?: object): string[]
}

/** What is set right of a tokenizer of the library. */
export interface Steps {
  readonly normalizer: Normalizer | null
  readonly pre_tokenizer: PreTokenizer | null
}

const isSpace = (character: string): boolean => /\p{White_Space}/u.test(character)

function stripped(text: string, left: boolean, right: boolean): string {
  let [start, end] = [0, text.length]
  while (left && start < end && isSpace(text[start]!)) start++
  while (right && end > start && isSpace(text[end - 1]!)) end--
  return text.slice(start, end)
}

/** Character by character: a final sigma is like others. */
const lowercased = (text: string): string => Array.from(text, (character) => character.toLowerCase()).join('')

type Normalize = Normalizer['normalize']

/** Normalizers that the library has in other forms than Hugging Face's tokenizers, of their config and of what the library does. */
const exact: Readonly<Record<string, (config: Normalizer['config'], given: Normalize) => Normalize>> = {
  Precompiled: ({ precompiled_charsmap: map }) => characterMap(Buffer.from(typeof map === 'string' ? map : '', 'base64')),
  Strip:
    ({ strip_left, strip_right }) =>
    (text) =>
      stripped(text, strip_left === true, strip_right === true),
  Lowercase: () => lowercased,
  BertNormalizer: ({ lowercase }, given) => (lowercase === true ? (text) => given(lowercased(text)) : given),
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
}

function normalizeExactly(step: Normalizer | null): void {
  if (!step) return
  for (const inner of step.normalizers ?? []) normalizeExactly(inner)
  const make = Object.hasOwn(exact, step.config.type) ? exact[step.config.type] : null
  if (make) step.normalize = make(step.config, step.normalize.bind(step))
}

interface PreTokenizerJson {
  readonly type?: string
  readonly split?: boolean
  readonly replacement?: string
  readonly pretokenizers?: readonly PreTokenizerJson[]
}

/** A Metaspace makes words, each of which begins with its sign; the library leaves the text whole, and sums the scores of all of it. */
function splitExactly(step: PreTokenizer | null, json: PreTokenizerJson | null): void {
  if (!step || !json) return
  for (const [i, inner] of (step.tokenizers ?? []).entries()) splitExactly(inner, json.pretokenizers?.[i] ?? null)
  if (json.type !== 'Metaspace' || json.split === false) return
  const [whole, sign] = [step.pre_tokenize_text, json.replacement ?? '\u2581']
  const start = new RegExp(`(?=${sign.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')})`, 'u')
  step.pre_tokenize_text = (text, options) => whole.call(step, text, options).flatMap((part) => part.split(start))
}

/** Puts Hugging Face's own steps in the place of those that the library only approaches. */
export function makeExact({ normalizer, pre_tokenizer }: Steps, json: { readonly pre_tokenizer?: unknown }): void {
  normalizeExactly(normalizer)
  splitExactly(pre_tokenizer, (json.pre_tokenizer ?? null) as PreTokenizerJson | null)
}
