import { labelTokens } from '../data/label-words.ts'
import { at } from '../data/row.ts'
import { templated } from '../data/template.ts'
import { UserError } from '../errors.ts'
import { prompt as head } from '../heads/prompt.ts'
import { oneExample } from './one-example.ts'
import { classOf, sequenceClassification } from './sequence-classification.ts'
import type { Task } from './task.ts'

/** One class for each row by the word that the model puts in the place of a template's mask (LM-BFF, Gao et al. 2021). */
export const promptClassification: Task = {
  ...sequenceClassification,
  head: head(null),
  opened({ labels, tokenizer, prompt }) {
    if (prompt === null) return promptClassification
    const encoder = templated(tokenizer(), prompt.template)
    const mask = tokenizer().special.mask!
    return {
      ...promptClassification,
      head: head({ words: labelTokens(tokenizer(), prompt.labelWords, labels), mask }),
      read: oneExample(classOf, {
        encoder,
        check(example) {
          const masks = example.ids.filter((id) => id === mask).length
          if (masks !== 1)
            throw new UserError(`${at(example)}: ${masks} mask tokens in "input_ids"; expected one, in the place of the label's word.`)
        },
      }),
    }
  },
}
