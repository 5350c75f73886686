import { didYouMean, UserError } from '../errors.ts'
import { MERGED } from '../evaluate/inference.ts'
import type { Foretelling } from '../train/forecast/foretell.ts'
import { textScoreNames } from '../train/written-texts.ts'
import type { Arm } from './arms.ts'
import type { Comparison } from './comparison-file.ts'
import { mayKeepEarlier } from './kept-evaluation.ts'

/** @throws UserError for an arm whose trials could not be asked what arms are compared by */
export function checkAnswers({ run, inference }: Arm, { learningRates, locate }: Comparison): void {
  const { data, generate } = run
  if (data.eval === null && data.evalShots === null && data.test === null)
    throw new UserError(
      `${locate(['data'])}: arms are compared on rows that are not trained on: give data.eval, data.evalShots or data.test.`,
    )
  if (inference === MERGED) return
  if (generate !== null)
    throw new UserError(
      `${locate(['generate'])}: texts are written by merged weights alone, and ${inference} is an arm; leave generate out.`,
    )
  // Rows that are held out to choose rates by are evaluation rows.
  const evaluated = learningRates === null ? run : { ...run, data: { ...data, eval: data.train } }
  if (mayKeepEarlier(evaluated))
    throw new UserError(
      `${locate(['train', 'evalEvery'])}: ${inference} is asked of what a run keeps, which is to be its end: set train.evalEvery to end.`,
    )
}

/** @throws UserError where an arm's task does not have the metric that is compared */
export function checkMetric({ name, run }: Arm, { metric }: Comparison, { open }: Foretelling): void {
  const known = [...open.task.metricNames, ...textScoreNames(run)]
  if (metric === null || known.includes(metric)) return
  throw new UserError(`metric: ${open.name} has no metric "${metric}" in ${name}; it has ${known.join(', ')}.${didYouMean(metric, known)}`)
}
