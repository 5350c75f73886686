import { readRows } from '../data/read-rows.ts'
import { openPredictor } from '../evaluate/predictor.ts'
import { answering } from './answering-options.ts'
import type { Define } from './commands.ts'
import { type PredictorFlags, predictorOptions } from './options.ts'
import { showing } from './progress.ts'

interface EvalFlags extends PredictorFlags {
  readonly data: string
}

/** Metrics of a model with an adapter on labelled rows, as one line of JSON. */
async function evalCommand(flags: EvalFlags): Promise<string> {
  const rows = await readRows(flags.data)
  const metrics = await showing(flags.quiet === true, async (progress) => {
    const predictor = await openPredictor({ ...predictorOptions(flags), progress })
    const found = await predictor.evaluate(rows)
    await predictor.close()
    return found
  })
  return `${JSON.stringify({ rows: rows.length, ...metrics })}\n`
}

export const defineEval: Define = (command) =>
  answering(command)
    .option('--adapter <folder>', 'saved adapter; without it the model as it is')
    .requiredOption('--data <file>', 'jsonl, json, csv, tsv or txt, also gzipped, or parquet')
    .action(async (flags: EvalFlags) => void process.stdout.write(await evalCommand(flags)))
