import { tokenLabels } from '../data/labels.ts'
import type { Row } from '../data/row.ts'
import { bringsTokens } from '../data/token-row.ts'
import type { Head } from '../heads/head.ts'
import { type Asks, TOLD } from '../heads/vocabulary.ts'
import { mean } from '../metrics/moments.ts'
import { only } from './answered.ts'
import { labelColumns, oneExample } from './one-example.ts'
import type { Task, TaskSetting } from './task.ts'

/** What the head tells, place by place. */
const places = (told: Float32Array): { right: number; best: number; likelihood: number }[] =>
  Array.from({ length: told.length / TOLD }, (_, i) => {
    const [right, best, likelihood] = told.subarray(i * TOLD, (i + 1) * TOLD)
    return { right: right!, best: best!, likelihood: likelihood! }
  })

/** What sets tasks over words apart. */
interface Words extends Pick<Task, 'drawn' | 'settle' | 'writes'> {
  readonly head: Head
  readonly asks: Asks
  /** Whether a row must bring its words; else without `labels` it has none of its own. */
  readonly labelled: boolean
  readonly maxLength?: number
  /** Reads rows of a form of the task's own, and leaves the others to `tokens`. */
  readonly read?: (tokens: Task['read']) => Task['read']
}

/** A word of the vocabulary at each place that is asked for; with `logits`, the model's at every token. */
function task({ head, asks, labelled, read = (tokens) => tokens, maxLength = 128, ...rest }: Words, setting: TaskSetting | null): Task {
  const vocabulary = setting?.vocabularySize ?? Number.MAX_SAFE_INTEGER
  const given = (row: Row, column: string): boolean => bringsTokens(row) && Array.isArray(row.values.get(column))
  return {
    head,
    ...rest,
    classes: false,
    overWords: true,
    primary: 'loss',
    metricNames: ['accuracy', 'perplexity', 'loss'],
    labelColumns,
    maxLength,
    discover: () => [],
    read: read(
      oneExample((row, column) => (labelled || given(row, column) ? tokenLabels(row.values.get(column), vocabulary, row, column) : null)),
    ),
    distributions: null,
    metrics(answered) {
      const targets = answered.flatMap(({ item }) => item.examples.flatMap((example) => asks(example).map(({ target }) => target)))
      const found = answered.flatMap(({ logits }) => logits.flatMap(places))
      const loss = -mean(found.map(({ right }) => right))
      return { accuracy: mean(found.map(({ best }, i) => (best === targets[i] ? 1 : 0))), perplexity: Math.exp(loss), loss }
    },
    answer(answered) {
      const found = places(only(answered).logits)
      const word = setting?.tokenizer().word ?? String
      return { words: found.map(({ best }) => word(best)), scores: found.map(({ likelihood }) => Math.exp(likelihood)) }
    },
    raw(answered) {
      const { logits } = only(answered)
      const width = setting?.vocabularySize ?? logits.length
      return { logits: Array.from({ length: logits.length / width }, (_, i) => [...logits.subarray(i * width, (i + 1) * width)]) }
    },
  }
}

/** A task over words; `words` may depend on the model. */
export const vocabularyTask = (words: (setting: TaskSetting | null) => Words): Task => ({
  ...task(words(null), null),
  opened: (setting) => task(words(setting), setting),
})
