import { language } from './language.ts'
import { opinions } from './opinions.ts'
import type { TextSource } from './text-source.ts'

interface Stage {
  readonly name: string
  readonly sources: readonly TextSource[]
  readonly learningRate: number
  /** When it is scored on held-out texts of the first stage. Scored at the end alone it keeps the weights that it ends with. */
  readonly evalEvery: number | 'end'
}

/** What the base reads one after another, and how fast it learns from it. The vocabulary is that of the first. */
export const stages: readonly Stage[] = [
  { name: 'language', sources: language, learningRate: 1e-3, evalEvery: 500 },
  { name: 'opinions', sources: opinions, learningRate: 5e-4, evalEvery: 'end' },
]
