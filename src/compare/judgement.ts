import { createHash } from 'node:crypto'
import { examplesIn, type Item } from '../data/examples.ts'
import { withForward } from '../evaluate/forward.ts'
import { MERGED } from '../evaluate/inference.ts'
import type { OpenTask } from '../evaluate/open-task.ts'
import type { TextsToScore } from '../generate/scored-texts.ts'
import type { Deployed } from '../nn/method.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { type Answered, regrouped } from '../tasks/answered.ts'
import type { FinishedRun } from '../train/conclusion.ts'
import { textScoreNames, writtenTerms } from '../train/written-texts.ts'
import { routedAnswers } from './routed.ts'
import type { TrialTask } from './trial-task.ts'

/** How a model answers the rows that arms are compared on. */
export interface Scores {
  /** The update after which it was taken. */
  readonly step: number
  readonly metrics: Readonly<Record<string, number>>
  /** The metrics of as many rows drawn with replacement, again and again: the same draws for every model that answered these rows. */
  readonly resampled: Readonly<Record<string, readonly number[]>>
}

/** What a trial says of the rows that arms are compared on. */
export interface Judgement {
  readonly rows: number
  /** Of where the rows stand. */
  readonly digest: string
  readonly of: 'test' | 'eval'
  /** How many texts were written for these rows, and the scores that they have; null where none are asked for. */
  readonly texts: { readonly count: number; readonly scores: readonly string[] } | null
  /** The metric that the run kept its best evaluation by. */
  readonly metric: string
  readonly resamples: number
  readonly last: Scores
  readonly best: Scores
}

/** Row numbers with replacement, a function of their count and of which draw it is: what is paired must draw alike. */
function* drawnRows(rows: number, resamples: number): Generator<Int32Array> {
  for (let i = 0; i < resamples; i++) {
    const { below } = stream(keyOf('rows drawn again', rows, i))
    yield Int32Array.from({ length: rows }, () => below(rows))
  }
}

/** The metrics over rows as they are, and over rows drawn again. */
export function resampledMetrics<Row>(
  rows: readonly Row[],
  metrics: (rows: readonly Row[]) => Readonly<Record<string, number>>,
  resamples: number,
): Pick<Scores, 'metrics' | 'resampled'> {
  const whole = metrics(rows)
  const resampled: Record<string, number[]> = Object.fromEntries(Object.keys(whole).map((name) => [name, []]))
  for (const drawn of drawnRows(rows.length, resamples)) {
    const again = metrics(Array.from(drawn, (i) => rows[i]!))
    for (const [name, values] of Object.entries(resampled)) values.push(again[name] ?? Number.NaN)
  }
  return { metrics: whole, resampled }
}

async function answered(
  { subject }: OpenTask,
  items: readonly Item[],
  { method, state }: Deployed,
  batchSize: number,
): Promise<Answered[]> {
  const examples = examplesIn(items)
  return regrouped(items, await withForward(subject, method, state, { batchSize }, (forward) => forward.logits(examples, state)))
}

function digestOf(items: readonly Item[]): string {
  const hash = createHash('sha256')
  for (const { file, line } of items) hash.update(`${file}:${line}\n`)
  return hash.digest('hex')
}

/** All that is told by the answers for some rows, and the texts written for them. */
async function scoresOf(
  rows: readonly Answered[],
  model: Deployed,
  step: number,
  { prepared, texts, run, resamples }: Asked,
): Promise<Scores> {
  const { open } = prepared
  const own = resampledMetrics(rows, (some) => open.task.metrics(some, open.labels), resamples)
  const written = await writtenTerms(run, open, model, texts)
  const ofTexts = written && resampledMetrics(written.rows, written.scores, resamples)
  return { step, metrics: { ...own.metrics, ...ofTexts?.metrics }, resampled: { ...own.resampled, ...ofTexts?.resampled } }
}

interface Asked extends Pick<TrialTask, 'run' | 'resamples'> {
  readonly prepared: FinishedRun['prepared']
  readonly texts: TextsToScore | null
}

/** Scores a run at its end, as the last update left it and as its best evaluation was: by its test rows, else those of its evaluations. */
export async function judge(ended: FinishedRun, task: TrialTask): Promise<Judgement> {
  const { prepared, kept, last, progress } = ended
  const { run, resamples, inference } = task
  const { open, test, evaluation } = prepared
  const items = (test ?? evaluation)!
  const texts = test === null ? prepared.texts.evaluation : prepared.texts.test
  const asked: Asked = { prepared, texts, run, resamples }
  const answers = (model: Deployed): Promise<Answered[]> => answered(open, items, model, run.train.evalBatchSize)
  const rows = inference === MERGED ? await answers(last) : await routedAnswers(ended, items, task)
  const atEnd = await scoresOf(rows, last, progress.step, asked)
  const keptStep = progress.best?.step ?? progress.step
  const names = textScoreNames(run)
  return {
    rows: items.length,
    digest: digestOf(items),
    of: test === null ? 'eval' : 'test',
    texts: texts && { count: texts.examples.length, scores: names },
    metric: run.train.keepBest ?? names[0] ?? open.task.primary,
    resamples,
    last: atEnd,
    best: keptStep === progress.step ? { ...atEnd } : await scoresOf(await answers(kept), kept, keptStep, asked),
  }
}
