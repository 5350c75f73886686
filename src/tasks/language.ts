import { type Example, type Item, modelTokens } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { at } from '../data/row.ts'
import { teacherForced } from '../data/teacher-forced.ts'
import { bringsTokens } from '../data/token-row.ts'
import { proseColumns, referencesOf, sourceOf, textColumns } from '../data/written-texts.ts'
import { UserError } from '../errors.ts'
import { causal, nextWords, sequenceToSequence, writtenWords } from '../heads/language.ts'
import { conversations } from './conversations.ts'
import type { Source, Task } from './task.ts'
import { textBlocks } from './text-blocks.ts'
import { vocabularyTask } from './vocabulary.ts'

const placeOf = ({ file, line }: Row): Pick<Item, 'file' | 'line'> => ({ file, line })

/** Between a text and what a model without a decoder writes after it, where a run does not say. */
const SEPARATOR = ' ||'

/** A text, and a second one that answers it: for each reference of a row an example. */
function answers(rows: readonly Row[], source: Source): Item[] {
  const { reading, labelled, decoder } = source
  const { prefix, targetLength } = reading.texts
  const columns = proseColumns(rows, reading.columns)
  const { encode } = source.tokenizer()
  return rows.map((row) => {
    const place = placeOf(row)
    const read = encode(prefix + sourceOf(row, columns, reading.texts), null, Math.min(reading.maxLength, source.maxPositions))
    const tokens = modelTokens(read, row, source)
    const example = (label: readonly number[] | null): Example => ({ ...tokens, ...place, label, decoder: teacherForced(label, decoder!) })
    if (!labelled) return { ...place, examples: [example(null)] }
    const most = Math.min(targetLength, source.maxPositions)
    const labels = referencesOf(row, columns).map((text) => [...modelTokens(encode(text, null, most), row, source).ids])
    return { ...place, examples: labels.map(example) }
  })
}

/** A prompt and what is written after it, up to the token that ends a text. */
function continuations(rows: readonly Row[], source: Source): Item[] {
  const { reading, labelled, end } = source
  const { prefix, separator, targetLength, loss } = reading.texts
  const columns = proseColumns(rows, reading.columns)
  const { tokens, framed } = source.tokenizer()
  const between = tokens(separator ?? '')
  const most = Math.min(reading.maxLength, source.maxPositions)
  const fixed = framed([]).ids.length + between.length
  return rows.map((row) => {
    const place = placeOf(row)
    const example = (given: readonly number[], written: readonly number[] | null): Example => {
      const room = most - fixed - (written?.length ?? 0)
      if (room < 1)
        throw new UserError(`${at(row)}: what is to be written leaves no room for the prompt in ${most} tokens; raise maxLength.`)
      const prompt = [...framed(given.slice(0, room)).ids, ...between]
      const ids = [...prompt, ...(written ?? [])]
      const label = written && [...prompt.map((id) => (loss === 'all' ? id : -100)), ...written]
      return { ...modelTokens({ ids, types: ids.map(() => 0) }, row, source), ...place, label }
    }
    const given = tokens(prefix + sourceOf(row, columns, reading.texts))
    if (!labelled) return { ...place, examples: [example(given, null)] }
    const ending = end === null ? [] : [end]
    const texts = referencesOf(row, columns).map((text) => [...tokens(` ${text.trim()}`).slice(0, targetLength - ending.length), ...ending])
    return { ...place, examples: texts.map((text) => example(given, text)) }
  })
}

/** Texts one after another, in which every token but the first is asked. */
const blocks = (rows: readonly Row[], source: Source): Item[] =>
  textBlocks(rows, source, source.end).map(({ examples: [example], ...place }) => ({
    ...place,
    examples: [{ ...example!, label: [...example!.ids] }],
  }))

/** Rows of texts are read by `texts`, those that bring `input_ids` and `labels` as they are. */
const orTokens =
  (texts: (rows: readonly Row[], source: Source) => Item[]) =>
  (tokens: Task['read']): Task['read'] =>
  (rows, source, names) =>
    rows.some(bringsTokens) ? tokens(rows, source, names) : texts(rows, source)

/** Conversations, texts one after another, or prompts with what follows them. */
function readTexts(rows: readonly Row[], source: Source): Item[] {
  const { source: column, target, conversations: talk } = textColumns(rows, source.reading.columns)
  if (talk) return conversations(rows, column, source)
  return source.labelled && target === null ? blocks(rows, source) : continuations(rows, source)
}

/** The next word of a text, at each of its tokens; of rows with a prompt and a text, at those of the text; of conversations, the assistant's. */
export const causalLanguage: Task = vocabularyTask(() => ({
  head: causal,
  asks: nextWords,
  labelled: true,
  writes: true,
  maxLength: 512,
  read: orTokens(readTexts),
  settle(rows, reading) {
    if (reading.texts.separator !== null || rows.some(bringsTokens)) return reading
    const { target, conversations: talk } = textColumns(rows, reading.columns)
    return talk ? reading : { ...reading, texts: { ...reading.texts, separator: target === null ? '' : SEPARATOR } }
  },
}))

/** The words of a text that answers another. */
export const sequenceToSequenceLanguage: Task = vocabularyTask(() => ({
  head: sequenceToSequence,
  asks: writtenWords,
  labelled: true,
  writes: true,
  maxLength: 512,
  read: orTokens(answers),
}))
