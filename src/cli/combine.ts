import { collapses, mergeGapText } from '../evaluate/merge-gap.ts'
import { type CombineOptions, combineAdapters } from '../merging/combine.ts'
import type { Report } from '../merging/report.ts'
import { type RuleName, ruleNames } from '../merging/rules/index.ts'
import { type HeadChoice, headChoices } from '../merging/whole-tensors.ts'
import { collect, withColumns } from './answering-options.ts'
import type { Define } from './commands.ts'
import { columnsOf, numberFlag, type PredictorFlags, positiveFlag, printNotice, wordFlag } from './options.ts'

interface CombineFlags extends Omit<PredictorFlags, 'adapter' | 'batchSize' | 'inference' | 'seed' | 'quiet'> {
  readonly adapter: readonly string[]
  readonly experts?: string
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
  readonly out: string
}

const given = <T>(text: string | undefined, read: (text: string) => T): T | undefined => (text === undefined ? undefined : read(text))
const list = (text: string): string[] => text.split(',').map((item) => item.trim())

function optionsOf(flags: CombineFlags): CombineOptions {
  return {
    model: flags.model,
    adapters: flags.adapter,
    experts: flags.experts ?? null,
    rule: flags.rule as RuleName,
    out: flags.out,
    weights: given(flags.weights, (text) => list(text).map((number) => numberFlag('weights', number))),
    rank: given(flags.rank, (text) => positiveFlag('rank', text)),
    density: given(flags.density, (text) => numberFlag('density', text)),
    sign: given(flags.sign, (text) => wordFlag('sign', text, ['total', 'frequency'] as const)),
    seed: given(flags.seed, (text) => numberFlag('seed', text)),
    head: given(flags.head, (text) => wordFlag<HeadChoice>('head', text, headChoices)),
    data: flags.data.length > 0 ? flags.data : undefined,
    metric: flags.metric,
    report: flags.report,
    task: flags.task,
    labels: given(flags.labels, list),
    columns: columnsOf(flags),
    maxLength: given(flags.maxLength, (text) => positiveFlag('max-length', text)),
    notice: printNotice,
  }
}

const number = (value: number): string => Number(value.toPrecision(4)).toString()

function reportLines({ measured, distances, logitGap, scores, path }: Report): string[] {
  const apart = distances.map(
    ({ between: [a, b], frobenius, relative }) =>
      `${a} and ${b}: ${number(frobenius)} apart in ${measured}, ${number(relative)} of their size`,
  )
  const gap = logitGap ? [`logits differ from the members' mean by ${number(logitGap.mean)}, at most ${number(logitGap.largest)}`] : []
  const lost = scores && collapses(scores) ? ': too unlike for this rule; try another, or --weights' : ''
  const score = scores ? [`${mergeGapText(scores)}${lost}`] : []
  const line = path ? [`loss from the first to the second: ${path.map(({ loss }) => number(loss)).join(' ')}`] : []
  return [...apart, ...gap, ...score, ...line]
}

/** Combines saved adapters; returns what was done as text, or as a line of JSON. */
async function combineCommand(flags: CombineFlags): Promise<string> {
  const summary = await combineAdapters(optionsOf(flags))
  if (flags.json) return `${JSON.stringify(summary)}\n`
  const { adapters, rule, out, told, report } = summary
  const decided = Object.entries(told).map(([name, value]) => `${name}: ${[value].flat().join(', ')}`)
  return `${[`Combined ${adapters.length} adapters by ${rule} in ${out}.`, ...decided, ...(report ? reportLines(report) : [])].join('\n')}\n`
}

export const defineCombine: Define = (command) =>
  withColumns(command)
    .requiredOption('--model <folder or id>', 'the model the adapters were trained on')
    .option('--adapter <folder>', 'a saved adapter; once for each', collect, [])
    .option('--experts <folder>', 'the run of a mixture, whose experts are combined in place of adapters')
    .requiredOption('--rule <name>', `how: ${ruleNames.join(', ')}`)
    .option('--weights <numbers>', 'one for each adapter, comma-separated; equal ones that sum to 1 by default')
    .option('--rank <r>', "of rules that end in svd; the adapters' largest by default")
    .option('--density <share>', 'share of weights that pruning leaves')
    .option('--sign <how>', 'how signs are elected: total or frequency')
    .option('--seed <n>', 'of what chance decides')
    .option('--head <which>', 'average, or first: what becomes of the heads')
    .option('--data <file>', 'rows for soup, fisher and the report; once, or once for each adapter', collect, [])
    .option('--metric <name>', 'what a soup goes by')
    .option('--report', 'tell how far the adapters are apart, and with --data what combining does')
    .option('--json', 'print an object')
    .requiredOption('--out <folder>', 'where to write the combined adapter')
    .action(async (flags: CombineFlags) => void process.stdout.write(await combineCommand(flags)))
