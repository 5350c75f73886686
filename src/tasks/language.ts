import { causal, nextWords, sequenceToSequence, writtenWords } from '../heads/language.ts'
import type { Task } from './task.ts'
import { vocabularyTask } from './vocabulary.ts'

/** The next word of a text, at each of its tokens. */
export const causalLanguage: Task = vocabularyTask(() => ({ head: causal, asks: nextWords, labelled: true }))

/** The words of a text that answers another. */
export const sequenceToSequenceLanguage: Task = vocabularyTask(() => ({ head: sequenceToSequence, asks: writtenWords, labelled: true }))
