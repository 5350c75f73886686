import { didYouMean, UserError } from '../../errors.ts'
import { bootstrap, type Interval } from '../bootstrap.ts'
import { assertSameLength } from '../same-length.ts'
import { bleu, bleuLowercase } from './bleu.ts'
import { captionRougeL } from './caption-rouge.ts'
import { chrf } from './chrf.ts'
import { cider } from './cider.ts'
import { meteorExactStem } from './meteor.ts'
import { nist } from './nist.ts'
import { rouge } from './rouge.ts'
import { ter } from './ter.ts'
import type { References, TextMetric } from './text-metric.ts'

export type { References, TextMetric }

/** Metrics that compare an answer's text with references, by the name they have in a run file. */
export const textMetrics: Readonly<Record<string, TextMetric>> = {
  rouge,
  bleu,
  bleuLowercase,
  nist,
  meteorExactStem,
  ter,
  cider,
  captionRougeL,
  chrf,
}

/** A metric with one of its scores alone. */
const narrowed = (metric: TextMetric, name: string): TextMetric => ({
  ...metric,
  names: [name],
  score: (sums) => ({ [name]: metric.score(sums)[name]! }),
})

/** What is wrong with the name of a metric or score, with those that are known; null where nothing is. */
export function textMetricFault(name: string): string | null {
  const scores = Object.values(textMetrics).flatMap(({ names }) => names)
  if (Object.hasOwn(textMetrics, name) || scores.includes(name)) return null
  const known = [...new Set([...Object.keys(textMetrics), ...scores])]
  return `text metric "${name}": expected one of ${known.join(', ')}.${didYouMean(name, known)}`
}

/** The metric of that name, or of a score's name, then with that score alone; UserError with the known ones for any other. */
export function textMetric(name: string): TextMetric {
  const fault = textMetricFault(name)
  if (fault !== null) throw new UserError(fault)
  if (Object.hasOwn(textMetrics, name)) return textMetrics[name]!
  return narrowed(Object.values(textMetrics).find(({ names }) => names.includes(name))!, name)
}

/** The sums over one example or more. */
const sumsOf = (terms: readonly (readonly number[])[]): number[] => terms[0]!.map((_, t) => terms.reduce((sum, row) => sum + row[t]!, 0))

/** What each example adds to the sums of a metric, [examples][terms]; with the errors of `textScores`. */
export function textTerms(metric: TextMetric, hypotheses: readonly string[], references: References): number[][] {
  assertSameLength(hypotheses, references)
  const bare = references.findIndex((texts) => texts.length === 0)
  if (bare >= 0) {
    throw new UserError(
      `example ${bare + 1} of ${references.length} has no reference text; expected one or more to compare its answer with: ` +
        'give it one, or leave the example out',
    )
  }
  return metric.terms(hypotheses, references)
}

/** The scores of a corpus whose examples, one or more, add these terms, [examples][terms]. */
export const scoresOfTerms = (metric: TextMetric, terms: readonly (readonly number[])[]): Record<string, number> =>
  metric.score(sumsOf(terms))

/**
 * The scores of one metric over a corpus, `hypotheses` [examples] against `references` [examples][at least one]. RangeError where the
 * sizes differ or there is no example, UserError for an example without references.
 */
export function textScores(metric: TextMetric, hypotheses: readonly string[], references: References): Record<string, number> {
  return scoresOfTerms(metric, textTerms(metric, hypotheses, references))
}

/** Percentile bootstrap intervals of what `textScores` gives, with the options and errors of `bootstrap`. */
export function textIntervals(
  metric: TextMetric,
  hypotheses: readonly string[],
  references: References,
  options: Parameters<typeof bootstrap>[2],
): Record<string, Interval> {
  return bootstrap(textTerms(metric, hypotheses, references), metric.score, options)
}
