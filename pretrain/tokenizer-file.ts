import { Tokenizer } from '@huggingface/tokenizers'
import { plainVocabularies } from '../src/data/plain-vocabularies.ts'
import { learnWordPieces } from './word-pieces.ts'

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']

/** Longer words become unknown; they are addresses and ciphers. */
const LONGEST = 60

/** What is said here of a tokenizer.json. */
interface TokenizerJson {
  readonly added_tokens: readonly object[]
  readonly model: object
}

/** BERT's tokenizer with these words. */
const bertTokenizer = (words: readonly string[]): TokenizerJson =>
  plainVocabularies.bert!.read([Buffer.from(words.join('\n'))], {}) as TokenizerJson

/** How often each word occurs in texts. */
export async function wordCounts(texts: AsyncIterable<string>): Promise<Map<string, number>> {
  const { normalizer, pre_tokenizer } = new Tokenizer({ ...bertTokenizer(special), post_processor: null }, {})
  const counts = new Map<string, number>()
  for await (const text of texts) {
    for (const word of pre_tokenizer!.pre_tokenize(normalizer!.normalize(text))) {
      if (word.length <= LONGEST) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return counts
}

/** tokenizer.json, whole as transformers reads it, of a BERT whose vocabulary of `size` word pieces is learned from words. */
export function tokenizerFile(counts: ReadonlyMap<string, number>, size: number): object {
  const { added_tokens, model, ...steps } = bertTokenizer(learnWordPieces(counts, size, special))
  const flags = { single_word: false, lstrip: false, rstrip: false }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added_tokens.map((token) => ({ ...flags, ...token })),
    ...steps,
    model: { ...model, max_input_chars_per_word: LONGEST },
  }
}

/** tokenizer_config.json beside it, for transformers. */
export const tokenizerConfig = (maxLength: number): object => ({
  tokenizer_class: 'BertTokenizer',
  do_lower_case: true,
  model_max_length: maxLength,
  ...{ pad_token: '[PAD]', unk_token: '[UNK]', cls_token: '[CLS]', sep_token: '[SEP]', mask_token: '[MASK]' },
})
