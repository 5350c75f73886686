import { bringsTokens } from '../data/token-row.ts'
import { UserError } from '../errors.ts'
import { maskedLm as head, hiddenWords } from '../heads/masked-lm.ts'
import { stream } from '../random/draws.ts'
import type { Task, TaskSetting } from './task.ts'
import { textBlocks } from './text-blocks.ts'
import { vocabularyTask } from './vocabulary.ts'

/** The share of tokens that are asked for, and of these the shares that become the mask token or any word (Devlin et al. 2019). */
const ASKED = 0.15
const MASKED = 0.8
const REPLACED = 0.1

function maskId({ tokenizer }: TaskSetting): number {
  const { mask } = tokenizer().special
  if (mask !== null) return mask
  throw new UserError('The tokenizer has no mask token; take a model that was trained with one.')
}

/** A row with words hidden; at least one, so that every row counts. Rows that bring labels of their own stay as they are. */
const drawn =
  (setting: TaskSetting): NonNullable<Task['drawn']> =>
  (example, key) => {
    if (example.label !== null) return example
    const { special } = setting.tokenizer()
    const mask = maskId(setting)
    const { uniform, below } = stream(key)
    const words = [...example.ids.keys()].filter((i) => !special.all.has(example.ids[i]!))
    if (words.length === 0)
      throw new UserError(`${example.file}:${example.line}: only special tokens, so nothing can be masked. Leave the row out.`)
    const chosen = words.filter(() => uniform() < ASKED)
    const hidden = chosen.length > 0 ? chosen : [words[below(words.length)]!]
    const ids = example.ids.slice()
    const label = Array.from(ids, () => -100)
    for (const i of hidden) {
      label[i] = ids[i]!
      const kind = uniform()
      if (kind < MASKED) ids[i] = mask
      else if (kind < MASKED + REPLACED) ids[i] = below(setting.vocabularySize)
    }
    return { ...example, ids, label }
  }

/**
 * Hidden words: of plain text 15 % of the tokens, drawn anew in each epoch; rows may also bring `input_ids` with the words that are asked
 * for as `labels`, -100 elsewhere. Where texts are packed, they are laid one after another, without a mark between them, but for questions.
 */
export const maskedLm: Task = vocabularyTask((setting) => {
  const mask = (): number | null => setting && maskId(setting)
  return {
    head: head(mask),
    asks: hiddenWords(mask),
    labelled: false,
    read: (oneByOne) => (rows, source, names) => {
      const packed = source.labelled && source.reading.texts.packed && !rows.some(bringsTokens)
      return packed ? textBlocks(rows, source, null) : oneByOne(rows, source, names)
    },
    ...(setting && { drawn: drawn(setting) }),
  }
})
