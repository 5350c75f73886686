import { choiceColumns, choicesOf, rightChoice } from '../data/choices.ts'
import { type Item, modelTokens, textOf } from '../data/examples.ts'
import { at, type Row, shown } from '../data/row.ts'
import { bringsTokens, givenTokens, type Tokens } from '../data/token-row.ts'
import { UserError } from '../errors.ts'
import { multipleChoice as head } from '../heads/multiple-choice.ts'
import { accuracy } from '../metrics/accuracy.ts'
import { mean } from '../metrics/moments.ts'
import { only } from './answered.ts'
import { argmax, drawClass, negativeLogLikelihood, probabilities } from './softmax.ts'
import type { Source, Task } from './task.ts'

/** A question with its choices. */
interface Question extends Item {
  readonly names: readonly string[]
  /** Null where rows bring tokens. */
  readonly texts: readonly string[] | null
}

const tokenColumns = ['input_ids', 'attention_mask', 'token_type_ids']
/** A row whose `input_ids` are a list for each choice, as a row for each. */
function tokenRows(row: Row): Row[] {
  const lists = tokenColumns.flatMap((name) => {
    const value = row.values.get(name) ?? null
    return value === null ? [] : [{ name, value }]
  })
  const count = Array.isArray(lists[0]!.value) ? lists[0]!.value.length : 0
  for (const { name, value } of lists) {
    if (Array.isArray(value) && value.length === count && count >= 2 && value.every(Array.isArray)) continue
    throw new UserError(
      `${at(row)}: "${name}" is ${shown(value)}; expected two lists or more, one for each choice, in every column of tokens.`,
    )
  }
  return Array.from({ length: count }, (_, i) => ({
    ...row,
    values: new Map<string, unknown>(lists.map(({ name, value }) => [name, (value as unknown[])[i]])),
  }))
}

/** What a row asks, with the column of its answer. */
function asked(
  row: Row,
  source: Source,
): { readonly tokens: readonly Tokens[]; readonly label: string } & Pick<Question, 'names' | 'texts'> {
  const { columns, maxLength } = source.reading
  if (bringsTokens(row)) {
    const tokens = tokenRows(row).map((choice) => givenTokens(choice, source))
    return { tokens, label: columns?.label ?? 'label', names: tokens.map((_, i) => String(i)), texts: null }
  }
  const { text, pair, choices, label } = choiceColumns(row, columns)
  const { texts, names } = choicesOf(row, choices)
  const question = textOf(row, text)
  const before = pair === null ? '' : `${textOf(row, pair)} `
  const most = Math.min(maxLength, source.maxPositions)
  const { encode } = source.tokenizer()
  return { tokens: texts.map((choice) => modelTokens(encode(question, before + choice, most), row, source)), label, names, texts }
}

function read(rows: readonly Row[], source: Source): Question[] {
  return rows.map((row) => {
    const { tokens, label, names, texts } = asked(row, source)
    const [first, ...others] = tokens as [Tokens, ...Tokens[]]
    const place = { file: row.file, line: row.line }
    const right = source.labelled ? rightChoice(row, label, names) : null
    return { ...place, names, texts, examples: [{ ...first, ...place, others, label: right }] }
  })
}

/** One of several texts that answers another, or goes on with it; rows may have different numbers of them. */
export const multipleChoice: Task<Question> = {
  head,
  classes: false,
  primary: 'accuracy',
  metricNames: ['accuracy', 'loss'],
  labelColumns: ['label', 'answerKey', 'answer'],
  maxLength: 128,
  discover: () => [],
  read,
  distributions: {
    places: (size) => [Array.from({ length: size }, (_, i) => i)],
    targets: (label) => [label as number],
  },
  metrics(answered) {
    const rows = answered.map(only)
    const labels = rows.map(({ label }) => label as number)
    return {
      accuracy: accuracy(
        rows.map(({ logits }) => argmax(logits)),
        labels,
      ),
      loss: mean(rows.map(({ logits }, i) => negativeLogLikelihood(logits, labels[i]!))),
    }
  },
  answer(answered) {
    const { names, texts } = answered.item
    const { logits } = only(answered)
    const [best, scores] = [argmax(logits), probabilities(logits)]
    return {
      label: names[best]!,
      ...(texts && { answer: texts[best]! }),
      scores: Object.fromEntries(names.map((name, i) => [name, scores[i]!])),
    }
  },
  draw: (logits, _names, draws) => drawClass(logits, draws),
  raw: (answered) => ({ logits: [...only(answered).logits] }),
}
