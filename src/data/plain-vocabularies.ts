import { z } from 'zod'
import { template } from './template-frame.ts'
import { type AddedToken, special, type VocabularyFiles, withAdded } from './vocabulary-files.ts'

const linesOf = (text: Buffer): string[] => text.toString('utf8').split('\n')

/** Words, one a line, with BERT's steps; source: `BertConverter` and `MPNetConverter` of transformers 4.57. */
const wordPieces = (specials: readonly AddedToken[], single: string, pair: string): VocabularyFiles => ({
  files: ['vocab.txt'],
  read([text], config) {
    const words = linesOf(text!)
    if (words.at(-1) === '') words.pop()
    const ids = new Map(words.map((word, id) => [word, id]))
    const added = withAdded(specials, ids, config)
    const { do_lower_case: lowercase = true, strip_accents = null, tokenize_chinese_chars: handle_chinese_chars = true } = config
    return {
      added_tokens: added,
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars, strip_accents, lowercase },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      post_processor: template(single, pair, (name) => added.find(({ content }) => content === name)!.id),
      model: {
        ...{ type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
        vocab: Object.fromEntries(ids),
      },
    }
  },
})
const bertWords = wordPieces(
  ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((content) => special(content)),
  '[CLS] $A [SEP]',
  '[CLS] $A [SEP] $B:1 [SEP]:1',
)
const mpnetWords = wordPieces(
  ['<s>', '<pad>', '</s>', '[UNK]', '<mask>'].map((content) => special(content, { lstrip: content === '<mask>' })),
  '<s> $A </s>',
  '<s> $A </s> </s> $B:1 </s>:1',
)

/** GPT-2's byte pairs and those that took them over; source: `GPT2Converter` and `RobertaConverter` of transformers 4.57. */
const bytePairs = (specials: readonly string[], frame: ((idOf: (name: string) => number) => object) | null): VocabularyFiles => ({
  files: ['vocab.json', 'merges.txt'],
  read([vocabulary, rules], config) {
    const vocab = z.record(z.string(), z.number().int()).parse(JSON.parse(vocabulary!.toString('utf8')))
    const merges = linesOf(rules!).filter((line) => line !== '' && !line.startsWith('#version'))
    const tokens = specials.map((content) => special(content, { lstrip: content === '<mask>' }))
    const added = withAdded(tokens, new Map(Object.entries(vocab)), config)
    return {
      added_tokens: added,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: config.add_prefix_space ?? false, trim_offsets: true, use_regex: true },
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      post_processor: frame?.((name) => added.find(({ content }) => content === name)!.id) ?? null,
      model: { ...{ type: 'BPE', continuing_subword_prefix: '', end_of_word_suffix: '', fuse_unk: false }, vocab, merges },
    }
  },
})
const robertaPairs = bytePairs(['<s>', '<pad>', '</s>', '<unk>', '<mask>'], (idOf) => ({
  ...{ type: 'RobertaProcessing', add_prefix_space: false, trim_offsets: true },
  ...{ cls: ['<s>', idOf('<s>')], sep: ['</s>', idOf('</s>')] },
}))

/** Vocabularies of words and of byte pairs, by `model_type`. */
export const plainVocabularies: Readonly<Record<string, VocabularyFiles>> = {
  bert: bertWords,
  distilbert: bertWords,
  electra: bertWords,
  mpnet: mpnetWords,
  roberta: robertaPairs,
  bart: robertaPairs,
  gpt2: bytePairs(['<|endoftext|>'], null),
}
