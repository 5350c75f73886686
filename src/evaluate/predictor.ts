import { roundings } from '../lowering/bases.ts'
import { openAdapted } from './adapted.ts'
import { type Answering, answering } from './answering.ts'
import { openAnswers } from './answers.ts'
import { closing } from './closing.ts'
import { type Computing, findModel } from './find-model.ts'
import { parseInference } from './inference.ts'
import type { Progress } from './progress.ts'
import { openReader, type ReaderOptions } from './reader.ts'

export interface PredictorOptions extends ReaderOptions, Computing {
  /** A model folder, or the name of one on the Hugging Face hub. */
  readonly model: string
  /** The folder of a saved adapter; without it the model answers as it is. */
  readonly adapter?: string | null
  /** Its kind, name or file; needed where neither adapter nor model tells. */
  readonly task?: string | null
  /** Class names in order, in place of the adapter's or model's. */
  readonly labels?: readonly string[] | null
  /** Rows at a time; 64 by default. */
  readonly batchSize?: number
  /**
   * How the adapter of a mixture answers: `merged` (by default), `expert:K` (one expert everywhere, from 0), `random` (a route of its own
   * for each row) or `ensemble:N` (the mean probabilities of N random routes; with `logits` their logs). All but `merged` need the
   * experts and settings of the run beside the adapter's folder.
   */
  readonly inference?: string
  /** Of random routes; 1 by default. */
  readonly seed?: number
  /**
   * Whether an adapter that is nothing but other weights of linear maps is put into them where many rows are asked at once (8192 tokens), which
   * holds a copy of these weights, up to 512 MB; true by default, and only with `float32`.
   */
  readonly merges?: boolean
  /** Told after each batch how many rows are answered; not by the routes of a mixture. */
  readonly progress?: Progress | undefined
  /** Told of downloads, and of what is odd about the adapter, such as tensors that find no place. */
  readonly notice?: (text: string) => void
}

/** A model that answers. */
export interface Predictor extends Answering {
  /** Waits for answers that are pending. */
  close(): Promise<void>
}

/**
 * Opens a model with an adapter for answers.
 * @throws UserError where model and adapter do not fit, nothing tells the task, or there is no mixture to route through
 * @example
 * const model = await openPredictor({ model: 'models/minilm', adapter: 'runs/mrpc/adapter' })
 * const [answer] = await model.predict([['He left.', 'He went away.']])
 */
export async function openPredictor(options: PredictorOptions): Promise<Predictor> {
  const {
    base = 'float32',
    adapter = null,
    task = null,
    labels = null,
    batchSize = 64,
    inference = 'merged',
    seed = 1,
    merges = true,
    progress,
    notice = () => {},
  } = options
  parseInference(inference)
  const model = await findModel(options.model, notice, options)
  const adapted = openAdapted(model, { adapter, task, labels }, notice)
  const answers = await openAnswers(adapted, { adapter, inference, seed, batchSize, merges: merges && roundings[base] === null, progress })
  const { labels: names, predict, evaluate } = answering(adapted.open, openReader(adapted, options), answers)
  const { during, close } = closing('predictor', () => answers.close())
  return {
    labels: names,
    predict: (...asked) => during(() => predict(...asked)),
    evaluate: (rows) => during(() => evaluate(rows)),
    close,
  }
}
