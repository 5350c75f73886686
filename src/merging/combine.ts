import { readRows } from '../data/read-rows.ts'
import { didYouMean, UserError } from '../errors.ts'
import { asked } from '../evaluate/dataset.ts'
import { findModel } from '../evaluate/find-model.ts'
import { methodFor } from '../evaluate/method-for.ts'
import { openReader, type ReaderOptions } from '../evaluate/reader.ts'
import { saveAdapter } from '../formats/index.ts'
import { combination } from './combination.ts'
import { openEvidence } from './evidence.ts'
import { openMembers, type Sources } from './members.ts'
import { type Report, reportOn } from './report.ts'
import type { Rule, Settings } from './rule.ts'
import { type RuleName, ruleNames, rules } from './rules/index.ts'
import { assertFree } from './verification.ts'
import type { HeadChoice } from './whole-tensors.ts'

export interface CombineOptions extends Partial<Settings>, Sources, ReaderOptions {
  /** The model the adapters were trained on: a folder, or the name of one on the hub. */
  readonly model: string
  readonly rule: RuleName
  /** What becomes of heads; their mean by default. */
  readonly head?: HeadChoice
  /** Files of rows: one for all adapters, or one for each. */
  readonly data?: readonly string[]
  /** What a greedy soup goes by; the task's own metric by default. */
  readonly metric?: string
  /** Whether to measure how the adapters differ. */
  readonly report?: boolean
  /** Needed where an adapter does not tell. */
  readonly task?: string | null
  readonly labels?: readonly string[] | null
  readonly batchSize?: number
  /** A folder that does not exist or is empty. */
  readonly out: string
  /** Told of downloads, and of what is odd about an adapter. */
  readonly notice?: (text: string) => void
}

export interface CombineSummary {
  readonly out: string
  readonly rule: RuleName
  readonly adapters: readonly string[]
  /** What the rule decided, such as the members that a soup kept. */
  readonly told: Readonly<Record<string, unknown>>
  readonly report: Report | null
}

const range = (name: string, value: number | null | undefined, holds: (value: number) => boolean, expected: string): void => {
  if (value !== undefined && value !== null && !holds(value)) throw new UserError(`${name} is ${value}; expected ${expected}.`)
}

/** Settings as a rule takes them. Throws UserError for one that is out of range, missing or not used. */
function settingsFor(name: RuleName, { weights, rank, density, sign, seed, data, metric, report }: CombineOptions): Settings {
  if (!ruleNames.includes(name))
    throw new UserError(`There is no rule "${name}"; there are ${ruleNames.join(', ')}.${didYouMean(name, ruleNames)}`)
  const { uses }: Rule = rules[name]
  const given = { weights, rank, density, sign, seed, metric, data: report ? undefined : data }
  for (const [setting, value] of Object.entries(given)) {
    if (value !== undefined && value !== null && !uses.includes(setting as (typeof uses)[number]))
      throw new UserError(`The rule ${name} has no ${setting}; it takes ${uses.length > 0 ? uses.join(', ') : 'no settings'}.`)
  }
  if (uses.includes('density') && density === undefined)
    throw new UserError(`The rule ${name} needs a density: the share of weights that stay.`)
  if (uses.includes('data') && data === undefined) throw new UserError(`The rule ${name} learns from data: give --data with rows.`)
  for (const weight of weights ?? []) range('A weight', weight, Number.isFinite, 'a number')
  range('rank', rank, (value) => Number.isInteger(value) && value >= 1, 'a whole number of at least 1')
  range('density', density, (value) => value > 0 && value <= 1, 'a number above 0 and at most 1')
  range('seed', seed, (value) => Number.isInteger(value) && value >= 0, 'a whole number')
  return { weights: weights ?? null, rank: rank ?? null, density: density ?? 1, sign: sign ?? 'total', seed: seed ?? 1 }
}

/**
 * Combines saved adapters of one model into one, and saves it as their method's format has it: LoRA for the rules on increments, else
 * the members' own method.
 * @throws UserError for settings that do not fit the rule, and adapters that do not fit it or each other
 * @example
 * await combineAdapters({ model: 'models/minilm', adapters: ['runs/a/adapter', 'runs/b/adapter'], rule: 'svd', rank: 8, out: 'runs/both' })
 */
export async function combineAdapters(options: CombineOptions): Promise<CombineSummary> {
  const { rule, head = 'average', data = [], task = null, labels = null, batchSize = 64, out, notice = () => {} } = options
  const settings = settingsFor(rule, options)
  assertFree(out)
  const model = await findModel(options.model, notice)
  const members = openMembers(model, options, settings.weights, { task, labels }, notice)
  if (data.length > 1 && data.length !== members.length)
    throw new UserError(`${data.length} files of data for ${members.length} adapters; give one, or one for each.`)
  const rows = await Promise.all(data.map((file) => readRows(file)))
  const evidence = openEvidence(members, { ...options, rows, metric: options.metric ?? null, head, batchSize, seed: settings.seed })
  try {
    const { adapter, told } = await combination(members, rule, head, settings, evidence)
    const { open } = members[0]!
    const method = methodFor(open.subject, open.outline, adapter.options, null, adapter.memory)
    const items = rows[0] ? asked(members[0]!.open.task, openReader(members[0]!, options)(rows[0], true)) : null
    saveAdapter(out, adapter, { model, outline: open.outline })
    const report = options.report ? await reportOn(members, { adapter, method }, items, batchSize) : null
    return { out, rule, adapters: members.map(({ folder }) => folder), told, report }
  } finally {
    await evidence.close()
  }
}
