import { type TaskName, taskNames } from '../heads/index.ts'
import { didYouMean, UserError } from '../errors.ts'

/** Options that several commands share, as the command line gives them. */
export interface AdaptedFlags {
  readonly model: string
  readonly adapter?: string
  readonly task?: string
  readonly labels?: string
}

export function taskFlag(task: string | undefined): TaskName | null {
  if (task === undefined) return null
  if ((taskNames as readonly string[]).includes(task)) return task as TaskName
  throw new UserError(`--task ${task}: known are ${taskNames.join(', ')}.${didYouMean(task, taskNames)}`)
}

export const labelsFlag = (labels: string | undefined): readonly string[] | null => labels?.split(',').map((name) => name.trim()) ?? null

export interface ColumnFlags {
  readonly textColumn?: string
  readonly pairColumn?: string
  readonly labelColumn?: string
}

/** The columns that flags name, or null to guess. */
export function columnFlags({ textColumn, pairColumn, labelColumn = 'label' }: ColumnFlags): { text: string; pair: string | null; label: string } | null {
  if (textColumn !== undefined) return { text: textColumn, pair: pairColumn ?? null, label: labelColumn }
  if (pairColumn !== undefined) throw new UserError('--pair-column needs --text-column.')
  return null
}

/** A whole number of at least 1 from the command line. */
export function positiveFlag(name: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1) return number
  throw new UserError(`--${name} ${text}: expected a whole number of at least 1.`)
}
