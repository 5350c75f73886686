import { UserError } from '../errors.ts'
import { type CombineOptions, combineAdapters } from '../merging/combine.ts'
import type { Report } from '../merging/report.ts'
import type { RuleName } from '../merging/rules/index.ts'
import { type HeadChoice, headChoices } from '../merging/whole-tensors.ts'
import { columnsOf, numberFlag, positiveFlag, taskFlag, wordFlag } from './options.ts'

export interface CombineFlags {
  readonly model: string
  readonly adapter: readonly string[]
  readonly rule: string
  readonly weights?: string
  readonly rank?: string
  readonly density?: string
  readonly sign?: string
  readonly seed?: string
  readonly head?: string
  readonly data: readonly string[]
  readonly metric?: string
  readonly report?: boolean
  readonly json?: boolean
  readonly task?: string
  readonly labels?: string
  readonly textColumn?: string
  readonly pairColumn?: string
  readonly labelColumn?: string
  readonly maxLength?: string
  readonly out: string
}

function optionsOf(flags: CombineFlags): CombineOptions {
  const {
    model,
    adapter: adapters,
    rule,
    weights,
    rank,
    density,
    sign,
    seed,
    head,
    data,
    metric,
    report,
    task,
    labels,
    maxLength,
    out,
  } = flags
  return {
    model,
    adapters,
    rule: rule as RuleName,
    out,
    columns: columnsOf(flags),
    ...(weights !== undefined && { weights: weights.split(',').map((text) => numberFlag('weights', text)) }),
    ...(rank !== undefined && { rank: positiveFlag('rank', rank) }),
    ...(density !== undefined && { density: numberFlag('density', density) }),
    ...(sign !== undefined && { sign: wordFlag('sign', sign, ['total', 'frequency'] as const) }),
    ...(seed !== undefined && { seed: numberFlag('seed', seed) }),
    ...(head !== undefined && { head: wordFlag<HeadChoice>('head', head, headChoices) }),
    ...(data.length > 0 && { data }),
    ...(metric !== undefined && { metric }),
    ...(report && { report }),
    ...(task !== undefined && { task: taskFlag(task) }),
    ...(labels !== undefined && { labels: labels.split(',').map((name) => name.trim()) }),
    ...(maxLength !== undefined && { maxLength: positiveFlag('max-length', maxLength) }),
  }
}

const number = (value: number): string => Number(value.toPrecision(4)).toString()

function reportLines({ measured, distances, logitGap, path }: Report): string[] {
  const apart = distances.map(
    ({ between: [a, b], frobenius, relative }) =>
      `${a} and ${b}: ${number(frobenius)} apart in ${measured}, ${number(relative)} of their size`,
  )
  const gap = logitGap ? [`logits differ from the members' mean by ${number(logitGap.mean)}, at most ${number(logitGap.largest)}`] : []
  const line = path ? [`loss from the first to the second: ${path.map(({ loss }) => number(loss)).join(' ')}`] : []
  return [...apart, ...gap, ...line]
}

/** Combines saved adapters; returns what was done as text, or as a line of JSON. */
export async function combineCommand(flags: CombineFlags): Promise<string> {
  if (flags.data.length > 1 && flags.data.length !== flags.adapter.length)
    throw new UserError(`--data was given ${flags.data.length} times for ${flags.adapter.length} adapters; give it once, or once for each.`)
  const summary = await combineAdapters(optionsOf(flags))
  if (flags.json) return `${JSON.stringify(summary)}\n`
  const { adapters, rule, out, told, report } = summary
  const decided = Object.entries(told).map(([name, value]) => `${name}: ${[value].flat().join(', ')}`)
  return `${[`Combined ${adapters.length} adapters by ${rule} in ${out}.`, ...decided, ...(report ? reportLines(report) : [])].join('\n')}\n`
}
