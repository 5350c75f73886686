import type { TaskName } from '../heads/index.ts'
import { openAdapted } from './adapted.ts'
import { type Answering, answering } from './answering.ts'
import { openForward } from './forward.ts'
import { findModel } from './open-task.ts'
import { openReader, type ReaderOptions } from './reader.ts'

export interface PredictorOptions extends ReaderOptions {
  /** A model folder, or the name of one on the Hugging Face hub. */
  readonly model: string
  /** The folder of a saved adapter; without it the model answers as it is. */
  readonly adapter?: string | null
  /** Needed where neither adapter nor model tells. */
  readonly task?: TaskName | null
  /** Class names in order, in place of the adapter's or model's. */
  readonly labels?: readonly string[] | null
  /** Rows at a time; 64 by default. */
  readonly batchSize?: number
}

/** A model that answers. */
export interface Predictor extends Answering {
  close(): Promise<void>
}

/**
 * Opens a model with an adapter for answers.
 * @throws UserError where model and adapter do not fit, or nothing tells the task
 * @example
 * const model = await openPredictor({ model: 'models/minilm', adapter: 'runs/mrpc/adapter' })
 * const [answer] = await model.predict([['He left.', 'He went away.']])
 */
export async function openPredictor(options: PredictorOptions): Promise<Predictor> {
  const { adapter = null, task = null, labels = null, batchSize = 64 } = options
  const model = await findModel(options.model)
  const adapted = openAdapted(model, { adapter, task, labels })
  const { open, method, state } = adapted
  const examplesOf = openReader(adapted, options)
  const forward = await openForward(open.subject, method, state, { batchSize })
  return { ...answering(open, examplesOf, (examples) => forward.logits(examples, state)), close: () => forward.close() }
}
