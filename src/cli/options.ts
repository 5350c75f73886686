import { type Spans, spans } from '../data/reading.ts'
import { didYouMean, UserError } from '../errors.ts'
import type { Computing } from '../evaluate/find-model.ts'
import type { PredictorOptions } from '../evaluate/predictor.ts'
import { bases } from '../lowering/bases.ts'
import { deviceChoices } from '../onnx/devices.ts'
import { parseSettings } from '../settings/document.ts'
import { withSettings } from '../settings/plain.ts'

/** Options of the commands that answer, as the command line gives them. */
export interface PredictorFlags {
  readonly model: string
  readonly base?: string
  readonly device?: string
  readonly adapter?: string
  readonly task?: string
  readonly labels?: string
  readonly textColumn?: string
  readonly pairColumn?: string
  readonly labelColumn?: string
  readonly choicesColumn?: readonly string[]
  readonly idColumn?: string
  readonly maxLength?: string
  readonly span?: readonly string[]
  readonly batchSize: string
  readonly inference?: string
  readonly seed?: string
  readonly quiet?: boolean
}

/** Prints a sentence where it does not mix with a command's results. */
export const printNotice = (text: string): void => void process.stderr.write(`adatune: ${text}\n`)

/** A whole number of at least 1. */
export function positiveFlag(name: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1) return number
  throw new UserError(`--${name} ${text}: expected a whole number of at least 1.`)
}

/** A seed: a whole number. */
function seedFlag(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw new UserError(`--seed ${text}: expected a whole number of at least 0.`)
}

/** A number. */
export function numberFlag(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  throw new UserError(`--${name} ${text}: expected a number.`)
}

/** One of some words; another is an error that names the nearest. */
export function wordFlag<Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  if ((words as readonly string[]).includes(text)) return text as Word
  throw new UserError(`--${name} ${text}: known are ${words.join(', ')}.${didYouMean(text, words)}`)
}

type ColumnFlags = Pick<PredictorFlags, 'textColumn' | 'pairColumn' | 'labelColumn' | 'choicesColumn' | 'idColumn'>

export function columnsOf({ textColumn, pairColumn, labelColumn, choicesColumn, idColumn }: ColumnFlags): PredictorOptions['columns'] {
  if (textColumn !== undefined) {
    const [list, ...more] = choicesColumn ?? []
    const choices = more.length > 0 ? [list!, ...more] : list
    return { text: textColumn, pair: pairColumn ?? null, label: labelColumn, choices, id: idColumn }
  }
  const others = { pair: pairColumn, label: labelColumn, choices: choicesColumn, id: idColumn }
  const [lone] = Object.entries(others).flatMap(([name, given]) => (given === undefined ? [] : [name]))
  if (lone !== undefined) throw new UserError(`--${lone}-column needs --text-column.`)
  return null
}

/** What `--span key=value` says of how answers are found. */
function spansOf(settings: readonly string[]): Partial<Spans> {
  const given = withSettings({}, settings, '--span')
  const all = parseSettings(spans, given, '--span')
  return Object.fromEntries(Object.entries(all).filter(([key]) => key in given))
}

/** How the model is to compute, as far as it is told. */
export const computingOf = ({ base, device }: Pick<PredictorFlags, 'base' | 'device'>): Computing => ({
  ...(base !== undefined && { base: wordFlag('base', base, bases) }),
  ...(device !== undefined && { device: wordFlag('device', device, deviceChoices) }),
})

export function predictorOptions(flags: PredictorFlags): PredictorOptions {
  const { model, adapter, task, labels } = flags
  return {
    model,
    ...computingOf(flags),
    adapter: adapter ?? null,
    task: task ?? null,
    labels: labels?.split(',').map((name) => name.trim()) ?? null,
    columns: columnsOf(flags),
    ...(flags.maxLength !== undefined && { maxLength: positiveFlag('max-length', flags.maxLength) }),
    ...(flags.span && { spans: spansOf(flags.span) }),
    batchSize: positiveFlag('batch-size', flags.batchSize),
    ...(flags.inference !== undefined && { inference: flags.inference }),
    ...(flags.seed !== undefined && { seed: seedFlag(flags.seed) }),
    ...(flags.quiet !== true && { notice: printNotice }),
  }
}
