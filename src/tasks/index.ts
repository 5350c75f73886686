import type { TaskName } from '../heads/index.ts'
import { causalLanguage, sequenceToSequenceLanguage } from './language.ts'
import { maskedLm } from './masked-lm.ts'
import { multipleChoice } from './multiple-choice.ts'
import { promptClassification } from './prompt-classification.ts'
import { questionAnswering } from './question-answering.ts'
import { regression } from './regression.ts'
import { sequenceClassification } from './sequence-classification.ts'
import type { Task } from './task.ts'
import { tokenClassification } from './token-classification.ts'

/** Every task by its name in a config. */
export const tasks: Readonly<Record<TaskName, Task>> = {
  'sequence-classification': sequenceClassification,
  regression,
  'token-classification': tokenClassification,
  'question-answering': questionAnswering,
  'multiple-choice': multipleChoice,
  'causal-lm': causalLanguage,
  'seq2seq-lm': sequenceToSequenceLanguage,
  'masked-lm': maskedLm,
  'prompt-classification': promptClassification,
}
