import { classification } from './classification.ts'
import type { Head } from './head.ts'
import { causal, sequenceToSequence } from './language.ts'
import { maskedLm } from './masked-lm.ts'
import { multipleChoice } from './multiple-choice.ts'
import { prompt } from './prompt.ts'
import { regression } from './regression.ts'
import { span } from './span.ts'
import { token } from './token.ts'

/** Every head, by the task's name in a config. */
export const heads = {
  'sequence-classification': classification,
  regression,
  'token-classification': token,
  'question-answering': span,
  'multiple-choice': multipleChoice,
  'causal-lm': causal,
  'seq2seq-lm': sequenceToSequence,
  'masked-lm': maskedLm(() => null),
  'prompt-classification': prompt(null),
} as const satisfies Record<string, Head>

export type TaskName = keyof typeof heads
export const taskNames = Object.keys(heads) as [TaskName, ...TaskName[]]
