import { readRows } from '../data/read-rows.ts'
import { openPredictor } from '../evaluate/predictor.ts'
import { type PredictorFlags, predictorOptions } from './options.ts'

export interface EvalFlags extends PredictorFlags {
  readonly data: string
}

/** Metrics of a model with an adapter on labelled rows, as one line of JSON. */
export async function evalCommand(flags: EvalFlags): Promise<string> {
  const rows = await readRows(flags.data)
  const predictor = await openPredictor(predictorOptions(flags))
  const metrics = await predictor.evaluate(rows)
  await predictor.close()
  return `${JSON.stringify({ rows: rows.length, ...metrics })}\n`
}
