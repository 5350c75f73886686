import { UserError } from '../errors.ts'
import { type Piece, readSentencePiece, type SentencePieceModel } from './sentencepiece-file.ts'
import { template } from './template-frame.ts'
import { type AddedToken, special, type TokenizerConfig, type VocabularyFiles, withAdded } from './vocabulary-files.ts'

/** How Hugging Face makes a fast tokenizer of a model type's SentencePiece file; source: convert_slow_tokenizer.py of transformers 4.57. */
interface Family {
  readonly file: string
  readonly vocabulary?: (pieces: readonly Piece[], config: TokenizerConfig) => [string, number][]
  readonly unknown?: number
  readonly normalizers: (map: object, config: TokenizerConfig) => object[]
  readonly specials: (config: TokenizerConfig) => AddedToken[]
  readonly single: string
  readonly pair: string
}

const spaces = (content: string): object => ({ type: 'Replace', pattern: { Regex: ' {2,}' }, content })
const replaced = (text: string, content: string): object => ({ type: 'Replace', pattern: { String: text }, content })
const strip = (strip_left: boolean, strip_right: boolean): object => ({ type: 'Strip', strip_left, strip_right })
const bertFrame = { single: '[CLS] $A [SEP]', pair: '[CLS] $A [SEP] $B:1 [SEP]:1' }

const plainly = (pieces: readonly Piece[]): [string, number][] => pieces.map(({ text, score }) => [text, score])
const extraIds = ({ extra_ids: count = 100 }: TokenizerConfig): string[] =>
  Array.from({ length: count }, (_, i) => `<extra_id_${count - 1 - i}>`)

const t5: Family = {
  file: 'spiece.model',
  vocabulary: (pieces, config) => [...plainly(pieces), ...extraIds(config).map((text): [string, number] => [text, 0])],
  normalizers: (map) => [map, strip(false, true), spaces('\u2581')],
  specials: (config) => [special('<pad>'), special('</s>'), special('<unk>'), ...extraIds(config).map((text) => special(text))],
  single: '$A </s>',
  pair: '$A </s> $B </s>',
}

/** By `model_type`. */
const families: Readonly<Record<string, Family>> = {
  'deberta-v2': {
    file: 'spm.model',
    normalizers: (map, { do_lower_case = false }) => [
      ...(do_lower_case ? [{ type: 'Lowercase' }] : []),
      ...[strip(true, true), map, spaces(' ')],
    ],
    specials: () => [special('[PAD]'), special('[CLS]'), special('[SEP]'), special('[UNK]', { normalized: true }), special('[MASK]')],
    ...bertFrame,
  },
  t5,
  mt5: t5,
  albert: {
    file: 'spiece.model',
    // A piece that joins a digit and a comma is made the last choice.
    vocabulary: (pieces) => pieces.map(({ text, score }) => [text, /\p{Nd},$/u.test(text) ? score - 100 : score]),
    normalizers: (map, { do_lower_case = true, keep_accents = false }) => [
      ...[replaced('``', '"'), replaced("''", '"')],
      ...(keep_accents ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
      ...(do_lower_case ? [{ type: 'Lowercase' }] : []),
      ...[map, spaces(' ')],
    ],
    specials: () => [special('<pad>'), special('<unk>'), special('[CLS]'), special('[SEP]'), special('[MASK]', { lstrip: true })],
    ...bertFrame,
  },
  'xlm-roberta': {
    file: 'sentencepiece.bpe.model',
    vocabulary: (pieces) => [
      ...['<s>', '<pad>', '</s>', '<unk>'].map((text): [string, number] => [text, 0]),
      ...plainly(pieces.slice(3)),
      ['<mask>', 0],
    ],
    unknown: 3,
    normalizers: (map) => [map, strip(false, true), spaces('\u2581')],
    specials: () => [special('<s>'), special('<pad>'), special('</s>'), special('<unk>'), special('<mask>', { lstrip: true })],
    single: '<s> $A </s>',
    pair: '<s> $A </s> </s> $B </s>',
  },
}

/** A SentencePiece unigram model of a family as the tokenizer.json that Hugging Face would make of it. */
function tokenizerOf(model: SentencePieceModel, family: Family, config: TokenizerConfig): object {
  const { vocabulary = plainly, normalizers, specials, unknown = model.unknown, single, pair } = family
  const vocab = vocabulary(model.pieces, config)
  const own = specials(config)
  const named = new Set(own.map(({ content }) => content))
  // What the model has for control, or by its user's wish, stays whole.
  const kept = model.pieces.flatMap(({ text, kind }) =>
    (kind === 3 || kind === 4) && !named.has(text) ? [{ content: text, special: kind === 3, normalized: false }] : [],
  )
  const ids = new Map(vocab.map(([text], id) => [text, id]))
  const added = withAdded([...own, ...kept], ids, config)
  const map = model.characterMap.length > 0 ? Buffer.from(model.characterMap).toString('base64') : null
  const scheme = config.add_prefix_space === false ? 'never' : config.legacy === false ? 'first' : 'always'
  const words = { type: 'Metaspace', replacement: '\u2581', prepend_scheme: scheme, split: true }
  const idOf = (name: string): number => added.find(({ content }) => content === name)!.id
  return {
    added_tokens: added,
    normalizer: { type: 'Sequence', normalizers: normalizers({ type: 'Precompiled', precompiled_charsmap: map }, config) },
    pre_tokenizer:
      config.split_by_punct === true ? { type: 'Sequence', pretokenizers: [{ type: 'Punctuation', behavior: 'Isolated' }, words] } : words,
    post_processor: template(single, pair, idOf),
    decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: scheme },
    model: { type: 'Unigram', vocab, unk_id: unknown },
  }
}

/** SentencePiece's unigram models. */
export const sentencePiece: Readonly<Record<string, VocabularyFiles>> = Object.fromEntries(
  Object.entries(families).map(([modelType, family]) => [
    modelType,
    {
      files: [family.file],
      read([bytes], config) {
        const model = readSentencePiece(bytes!)
        if (model.pieces.length === 0) throw new UserError('it has no pieces')
        if (model.algorithm !== 1) throw new UserError('its algorithm is not unigram')
        return tokenizerOf(model, family, config)
      },
    } satisfies VocabularyFiles,
  ]),
)
