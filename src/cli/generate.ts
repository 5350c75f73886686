import { readRows } from '../data/read-rows.ts'
import { UserError } from '../errors.ts'
import { rowOf } from '../evaluate/answering.ts'
import { askedTexts } from '../generate/asked-texts.ts'
import { openGenerator } from '../generate/generator.ts'
import type { Written } from '../generate/model-texts.ts'
import { givenOptions } from '../generate/options.ts'
import { textIntervals, textMetric, textMetrics, textScores } from '../metrics/text/index.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { parseSettings } from '../settings/document.ts'
import { withSettings } from '../settings/plain.ts'
import { table } from '../track/table.ts'
import { assertTakesAnswers, writeLines } from './answer-lines.ts'
import { collect, withModel } from './answering-options.ts'
import type { Define } from './commands.ts'
import { columnsOf, type PredictorFlags, positiveFlag, predictorOptions } from './options.ts'
import { showing } from './progress.ts'

interface GenerateFlags extends Omit<PredictorFlags, 'labels' | 'inference' | 'seed'> {
  readonly data?: string
  readonly text?: string
  readonly output?: string
  readonly rows?: string
  readonly prefix?: string
  readonly set: readonly string[]
  readonly metric: readonly string[]
}

/** Each metric's scores, with the intervals that resampling of the texts gives. */
function scores(names: readonly string[], texts: readonly string[], references: readonly (readonly string[])[]): string {
  const lines = names.flatMap((name) => {
    const metric = textMetric(name)
    const [found, around] = [
      textScores(metric, texts, references),
      textIntervals(metric, texts, references, stream(keyOf('intervals', name))),
    ]
    return Object.entries(found).map(([score, value]) => [
      score,
      value.toFixed(4),
      `${around[score]!.low.toFixed(4)} to ${around[score]!.high.toFixed(4)}`,
    ])
  })
  return table([['metric', 'score', '95 % interval'], ...lines])
}

/** Writes a text for each row: one JSON object a line, to `--output` or as text; with `--metric` the scores against the rows' references. */
async function generateCommand(flags: GenerateFlags): Promise<string> {
  const { data, text, output, metric } = flags
  if ((data === undefined) === (text === undefined)) throw new UserError('Give either --data FILE or --text "a prompt".')
  if (metric.length > 0 && (data === undefined || output === undefined))
    throw new UserError('--metric compares with references: give --data with them, and --output for the texts.')
  for (const name of metric) textMetric(name)
  if (output !== undefined) assertTakesAnswers(output, data)
  const options = parseSettings(givenOptions, withSettings({}, flags.set), '--set')
  const all = data === undefined ? [rowOf(text!, 0)] : await readRows(data)
  const rows = flags.rows === undefined ? all : all.slice(0, positiveFlag('rows', flags.rows))
  const asked = askedTexts(rows, columnsOf(flags) ?? null, metric.length > 0)
  const { labels: _labels, ...opening } = predictorOptions(flags)
  const written = await showing(flags.quiet === true, async (progress) => {
    const texts = flags.prefix !== undefined && { texts: { prefix: flags.prefix } }
    const model = await openGenerator({ ...opening, ...texts, progress })
    const all = await model.generate(
      asked.map(({ row }) => row),
      options,
    )
    await model.close()
    return all
  })
  if (text !== undefined && output === undefined) return `${written[0]!.text}\n`
  const byRow: Written[] = new Array(rows.length)
  for (const [i, { rows: own }] of asked.entries()) for (const row of own) byRow[row] = written[i]!
  const lines = byRow.map((one) => `${JSON.stringify({ text: one.text })}\n`)
  if (output === undefined) return lines.join('')
  writeLines(output, lines)
  const told = `${lines.length} texts in ${output}\n`
  if (metric.length === 0) return told
  return `${told}${scores(
    metric,
    written.map((one) => one.text),
    asked.map(({ references }) => references),
  )}`
}

export const defineGenerate: Define = (command) =>
  withModel(command)
    .option('--adapter <folder>', 'saved adapter; without it the model as it is')
    .option('--data <file>', 'jsonl, json, csv, tsv or txt, also gzipped, or parquet')
    .option('--text <text>', 'a text or prompt')
    .option('--output <file>', 'write the texts to a file, one JSON object a row')
    .option('--set <key=value>', 'how to write, e.g. beams=4, maxNewTokens=64, sample=true; may be repeated', collect, [])
    .option('--metric <name>', `compare with the rows' references: ${Object.keys(textMetrics).join(', ')}; may be repeated`, collect, [])
    .option('--text-column <name>', 'column of the text')
    .option('--label-column <name>', 'column of the references, a text or a list of them')
    .option('--prefix <text>', "put before each text; by default as in the adapter's run")
    .option('--max-length <tokens>', "truncate texts to so many tokens; by default as in the adapter's run, else 512")
    .option('--rows <count>', 'the first rows only')
    .option('--batch-size <rows>', 'texts at a time', '16')
    .option('--quiet', 'print errors only')
    .action(async (flags: GenerateFlags) => void process.stdout.write(await generateCommand(flags)))
