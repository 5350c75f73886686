import type { Interval } from '../metrics/bootstrap.ts'
import { metricText } from '../track/metric-text.ts'
import { bytes, count, duration, energy, flops, percent } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import { WATTS_OF_A_CORE } from '../train/energy.ts'
import type { Figure } from './figure.ts'
import type { ArmSummary, Difference, Summary } from './summary.ts'

/** Rows of cells, the first of them the header. */
export type Rows = readonly (readonly string[])[]

type Text = (value: number) => string

/** How values of the metric are written. */
export const textOf = ({ metric, percent }: Summary): Text => {
  const text = metricText(percent)
  return (value) => text(metric, value)
}

/** How differences of the metric are written. */
export const signedTextOf = (summary: Summary): Text => {
  const text = textOf(summary)
  return (value) => `${value > 0 ? '+' : ''}${text(value)}`
}

const spread = (text: Text, { mean, deviation }: Figure): string => (deviation === null ? text(mean) : `${text(mean)} ± ${text(deviation)}`)

const ends = (text: Text, found: Interval | null): string => (found === null ? '–' : `${text(found.low)} to ${text(found.high)}`)

/** A p-value with two digits that count. */
const chance = (p: number | null): string => (p === null ? '–' : String(Number(p.toPrecision(2))))

const rate = (value: number): string => String(Number(value.toPrecision(3)))

/** What each arm scored and took. */
export function armRows(summary: Summary): Rows {
  const { metric: name, by, level, arms } = summary
  const text = textOf(summary)
  const row = (arm: ArmSummary): string[] => {
    const { trained, merged, base, head, trainFlops, steps, seconds, joules, peakMemoryBytes, adapterBytes } = arm.took
    return [
      arm.name,
      count(trained),
      count(merged),
      percent(merged, base + head),
      rate(arm.learningRate),
      spread(text, arm.last),
      spread(text, arm.best),
      ends(text, arm[by].interval),
      count(steps),
      flops(trainFlops),
      duration(seconds),
      energy(joules),
      bytes(peakMemoryBytes),
      bytes(adapterBytes),
    ]
  }
  const header = ['arm', 'trained', 'at the end', '%', 'rate', `${name}, last`, 'best', `${100 * level} % of ${by}`]
  return [[...header, 'updates', 'training', 'time', 'energy', 'memory', 'adapter'], ...arms.map(row)]
}

/** How each arm differs from the plain one. */
export function differenceRows(summary: Summary): Rows {
  const { metric: name, level, differences } = summary
  const [text, signed] = [textOf(summary), signedTextOf(summary)]
  const row = ({ arm, against, difference, interval, p, adjusted, verdict, toPlain }: Difference): string[] => [
    arm,
    against,
    signed(difference),
    ends(text, interval),
    chance(p),
    chance(adjusted),
    verdict,
    `${toPlain.reached} of ${toPlain.of}`,
    toPlain.steps === null ? '–' : count(toPlain.steps),
    toPlain.flops === null ? '–' : flops(toPlain.flops),
  ]
  const header = ['arm', 'against', name, `${100 * level} %`, 'p', 'corrected', '', 'got to its best', 'updates', 'training']
  return [header, ...differences.map(row)]
}

/** What the figures are of, in a sentence. */
export function footing({ metric: name, by, rows, of, energy: energyIs, seeds, resamples, differences, level }: Summary): string {
  const seed = seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds`
  const drawn = seeds.length === 1 ? 'rows' : 'rows and seeds'
  const tested =
    differences.length === 0
      ? ''
      : `; p-values of a paired bootstrap, corrected for ${differences.length} by Holm, ${rate(1 - level)} decides`
  const joules = energyIs === 'read' ? "the processors' own counters" : `processor time, ${WATTS_OF_A_CORE} W a busy core`
  return `${name} on ${count(rows)} ${of} rows, ${seed}; ${resamples} resamples of ${drawn}; arms are compared by their ${by} evaluation${tested}. Energy by ${joules}.`
}

/** A comparison for the terminal; ends in a line break. */
export function summaryText(summary: Summary): string {
  const differences = summary.differences.length === 0 ? '' : `\n${table(differenceRows(summary))}`
  return `\n${table(armRows(summary))}${differences}\n${footing(summary)}\n`
}
