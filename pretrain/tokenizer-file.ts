import { Tokenizer } from '@huggingface/tokenizers'
import { learnWordPieces } from './word-pieces.ts'

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const

/** BERT's steps before the vocabulary: lower case without accents, words and single marks of punctuation. */
const steps = {
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
}

/** Longer words become unknown; they are addresses and ciphers. */
const LONGEST = 60

/** How often each word occurs in texts. */
export async function wordCounts(texts: AsyncIterable<string>): Promise<Map<string, number>> {
  const model = { type: 'WordPiece', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' }
  const { normalizer, pre_tokenizer } = new Tokenizer({ ...steps, added_tokens: [], post_processor: null, decoder: null, model }, {})
  const counts = new Map<string, number>()
  for await (const text of texts) {
    for (const word of pre_tokenizer!.pre_tokenize(normalizer!.normalize(text))) {
      if (word.length <= LONGEST) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return counts
}

/** tokenizer.json of a BERT whose vocabulary of `size` word pieces is learned from words. */
export function tokenizerFile(counts: ReadonlyMap<string, number>, size: number): object {
  const vocabulary = learnWordPieces(counts, size, special)
  const id = (token: string): number => vocabulary.indexOf(token)
  const [cls, sep] = ['[CLS]', '[SEP]'].map((token) => ({ id: token, ids: [id(token)], tokens: [token] })) as [object, object]
  const text = (name: 'A' | 'B', type: number) => ({ Sequence: { id: name, type_id: type } })
  const mark = (token: string, type: number) => ({ SpecialToken: { id: token, type_id: type } })
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({ id: id(content), content, ...flags })),
    ...steps,
    post_processor: {
      type: 'TemplateProcessing',
      single: [mark('[CLS]', 0), text('A', 0), mark('[SEP]', 0)],
      pair: [mark('[CLS]', 0), text('A', 0), mark('[SEP]', 0), text('B', 1), mark('[SEP]', 1)],
      special_tokens: { '[CLS]': cls, '[SEP]': sep },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: LONGEST,
      vocab: Object.fromEntries(vocabulary.map((token, i) => [token, i])),
    },
  }
}

/** tokenizer_config.json beside it, for transformers. */
export const tokenizerConfig = (maxLength: number): object => ({
  tokenizer_class: 'BertTokenizer',
  do_lower_case: true,
  model_max_length: maxLength,
  ...{ pad_token: '[PAD]', unk_token: '[UNK]', cls_token: '[CLS]', sep_token: '[SEP]', mask_token: '[MASK]' },
})
