import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { runJsonSchema } from '../config/parse.ts'
import { UserError } from '../errors.ts'
import type { FoldingOptions } from '../merging/merge.ts'
import { ruleNames } from '../merging/rules/index.ts'
import { textMetrics } from '../metrics/text/index.ts'
import { type ChatFlags, chatCommand } from './chat.ts'
import { type ClaimsFlags, claimsCommand } from './claims.ts'
import { type CombineFlags, combineCommand } from './combine.ts'
import { type CompareFlags, compareCommand } from './compare.ts'
import { type DemoFlags, demoCommand } from './demo.ts'
import { type EvalFlags, evalCommand } from './eval.ts'
import { type ExtractFlags, extractCommand } from './extract.ts'
import { foldings } from './foldings.ts'
import { type GenerateFlags, generateCommand } from './generate.ts'
import { type InspectFlags, inspect } from './inspect.ts'
import { positiveFlag, printNotice } from './options.ts'
import { type PredictFlags, predictCommand } from './predict.ts'
import { type TrainFlags, trainCommand } from './train.ts'

/** What a user can mend: settings, files, rows. */
const USER_ERROR = 2

const collect = (value: string, all: string[] = []): string[] => [...all, value]

/** What says how rows are read. */
function withColumns(command: Command): Command {
  return command
    .option('--task <task>', 'a kind of task, a name such as glue/rte, or a task file; needed where neither adapter nor model tells')
    .option('--labels <names>', 'class names in order, comma-separated')
    .option('--text-column <name>', 'column of the text')
    .option('--pair-column <name>', 'column of the second text')
    .option('--label-column <name>', 'column of the label')
    .option('--choices-column <name>', 'column of a list of choices; of a column for each, repeat it', collect)
    .option('--max-length <tokens>', "truncate texts to so many tokens; by default as in the adapter's run, else as the task has it")
}

function answering(command: Command): Command {
  return withColumns(command)
    .requiredOption('--model <folder or id>', 'model folder, or the name of one on the Hugging Face hub')
    .option('--id-column <name>', 'column of what names a row in its answer')
    .option('--span <key=value>', 'how answers are found in long texts, e.g. nullThreshold=1.5; may be repeated', collect)
    .option('--batch-size <rows>', 'rows at a time', '64')
    .option('--inference <mode>', "of an adamix run's adapter: merged, expert:K, random or ensemble:N", 'merged')
    .option('--seed <number>', 'of random routes', '1')
    .option('--quiet', 'print errors only')
}

/** Commander's message, of one or two lines, as one sentence like every other. */
function sentence(text: string): string {
  const [fault, hint] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n')
  return `adatune: ${fault!.replace(/\.?$/, '.')}${hint ? ` ${hint.replace(/^\(|\)$/g, '')}` : ''}\n`
}

function program(exit: (code: number) => void): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  const root = new Command('adatune')
  root.description('Parameter-efficient fine-tuning of Hugging Face transformers on ONNX Runtime.').version(version).exitOverride()
  root.configureOutput({ outputError: (text, write) => write(sentence(text)) })

  root
    .command('train')
    .description('fine-tune as a run file says, or go on with a run')
    .argument('[run-file]', 'YAML or JSON')
    .option('--set <key=value>', 'change a setting, e.g. method.r=16; may be repeated', collect, [])
    .option('--out <folder>', 'folder of the run')
    .option('--resume <folder>', 'go on with the run in this folder')
    .option('--quiet', 'print errors only')
    .option('--json', 'print every event as a line of JSON')
    .option('--dry-run', 'check the run file and tell what the run would take, without weights; with --json as an object')
    .action(async (file: string | undefined, flags: TrainFlags) => exit(await trainCommand(file, flags)))

  root
    .command('compare')
    .description('train several methods on one task and tell which is better; called again, it goes on where it was')
    .argument('<file>', 'YAML or JSON: what is compared')
    .option('--set <key=value>', 'change a setting, e.g. run.train.epochs=1; may be repeated', collect, [])
    .option('--quick', 'its short form, which the file gives')
    .option('--out <folder>', 'folder of the comparison')
    .option('--quiet', 'print errors and the result only')
    .option('--json', 'print the result as an object')
    .option('--dry-run', 'check the file and tell what would be run')
    .action(async (file: string, flags: CompareFlags) => exit(await compareCommand(file, flags)))

  root
    .command('claims')
    .description('list what the papers claim, or try a claim; called again, it goes on where it was')
    .argument('[claim]', 'its name, or a file of your own; all are listed without')
    .option('--quick', 'its short form, of minutes to an hour')
    .option('--model <folder or id>', "a model in place of the claim's own, such as the paper's")
    .option('--set <key=value>', 'change a setting of its comparison, e.g. run.train.epochs=1; may be repeated', collect, [])
    .option('--out <folder>', 'where to work; runs/claims and its name by default')
    .option('--plan', 'tell trials, updates, operations and hours, of all claims or of one')
    .option('--quiet', 'print errors and the result only')
    .option('--json', 'print the result as an object')
    .action(async (name: string | undefined, flags: ClaimsFlags) => exit(await claimsCommand(name, flags)))

  answering(root.command('eval').description('metrics on labelled rows'))
    .option('--adapter <folder>', 'saved adapter; without it the model as it is')
    .requiredOption('--data <file>', 'jsonl, json, csv, tsv or txt, also gzipped, or parquet')
    .action(async (flags: EvalFlags) => void process.stdout.write(await evalCommand(flags)))

  answering(root.command('predict').description('answer rows, or one text'))
    .option('--adapter <folder>', 'saved adapter; without it the model as it is; name=folder for each with --adapter-column', collect, [])
    .option('--adapter-column <name>', 'column that names the adapter of each row; empty or __base__ for the model as it is')
    .option('--stack', 'apply bottleneck adapters in turn, the first below the others')
    .option('--data <file>', 'jsonl, json, csv, tsv or txt, also gzipped, or parquet')
    .option('--text <text...>', 'a text, and its pair')
    .option('--output <file>', 'write the answers to a file, one JSON object a row')
    .option('--logits', 'raw logits instead of labels and scores')
    .action(async (flags: PredictFlags) => void process.stdout.write(await predictCommand(flags)))

  root
    .command('generate')
    .description('write texts: answers to rows or one text, or what follows a prompt')
    .requiredOption('--model <folder or id>', 'model folder, or the name of one on the Hugging Face hub')
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

  root
    .command('chat')
    .description('talk with a model, line by line')
    .requiredOption('--model <folder or id>', 'model folder, or the name of one on the Hugging Face hub')
    .option('--adapter <folder>', 'saved adapter; without it the model as it is')
    .option('--system <text>', 'what the assistant is told before the conversation')
    .option('--set <key=value>', 'how to write, e.g. maxNewTokens=256, sample=true; may be repeated', collect, [])
    .option('--quiet', 'print errors only')
    .action(async (flags: ChatFlags) => chatCommand(flags))

  root
    .command('inspect')
    .description('weights, operations and targets of a model and method; a config.json is enough')
    .requiredOption('--model <folder or id>', 'model folder, or the name of one on the hub')
    .option('--task <task>', 'a kind of task, a name such as glue/rte, or a task file', 'sequence-classification')
    .option('--labels <count>', 'number of classes', '2')
    .option('--method <name>', 'a PEFT method')
    .option('--set <key=value>', 'change a setting, e.g. method.r=8; may be repeated', collect, [])
    .option('--adapter <folder>', 'a saved adapter, in place of a method')
    .option('--json', 'print an object')
    .action(async (flags: Omit<InspectFlags, 'task' | 'labels' | 'json'> & { task: string; labels: string; json?: boolean }) => {
      const options = { ...flags, labels: positiveFlag('labels', flags.labels), json: flags.json ?? false }
      process.stdout.write(await inspect(options))
    })

  for (const [name, { make, help }] of Object.entries(foldings)) {
    const [description, model, adapter, out] = help
    root
      .command(name)
      .description(description)
      .requiredOption('--model <folder or id>', model)
      .requiredOption('--adapter <folder>', adapter)
      .requiredOption('--out <folder>', out)
      .action(async (flags: FoldingOptions) => void process.stdout.write(`${await make({ ...flags, notice: printNotice })}\n`))
  }

  root
    .command('extract')
    .description('a LoRA of what training changed between two models')
    .requiredOption('--base <folder or id>', 'the model before')
    .requiredOption('--tuned <folder or id>', 'the model after')
    .requiredOption('--r <rank>', 'the rank of the LoRA')
    .option('--targets <modules>', 'all-linear, names with commas between, or an expression', 'all-linear')
    .option('--task <task>', 'needed where the tuned model has a head and does not tell what for')
    .option('--labels <names>', 'class names in order, comma-separated')
    .option('--json', 'print an object')
    .requiredOption('--out <folder>', 'where to write the adapter')
    .action(async (flags: ExtractFlags) => void process.stdout.write(await extractCommand(flags)))

  withColumns(root.command('combine'))
    .description('several adapters of one model as one')
    .requiredOption('--model <folder or id>', 'the model the adapters were trained on')
    .option('--adapter <folder>', 'a saved adapter; once for each', collect, [])
    .option('--experts <folder>', 'the run of a mixture, whose experts are combined in place of adapters')
    .requiredOption('--rule <name>', `how: ${ruleNames.join(', ')}`)
    .option('--weights <numbers>', 'one for each adapter, comma-separated; equal ones that sum to 1 by default')
    .option('--rank <r>', "of rules that end in svd; the adapters' largest by default")
    .option('--density <share>', 'share of weights that pruning leaves')
    .option('--sign <how>', 'how signs are elected: total or frequency')
    .option('--seed <n>', 'of what chance decides')
    .option('--head <which>', 'average, or first: what becomes of the heads')
    .option('--data <file>', 'rows for soup, fisher and the report; once, or once for each adapter', collect, [])
    .option('--metric <name>', 'what a soup goes by')
    .option('--report', 'tell how far the adapters are apart, and with --data what combining does')
    .option('--json', 'print an object')
    .requiredOption('--out <folder>', 'where to write the combined adapter')
    .action(async (flags: CombineFlags) => void process.stdout.write(await combineCommand(flags)))

  root
    .command('demo')
    .description('fine-tune a small model on mail by six methods and compare them; takes minutes')
    .option('--model <folder>', "a model in place of the package's own")
    .option('--out <folder>', 'where to write', 'adatune-demo')
    .action(async (flags: DemoFlags) => exit(await demoCommand(flags)))

  root
    .command('schema')
    .description('JSON Schema of run files, for editors')
    .action(() => void process.stdout.write(`${JSON.stringify(runJsonSchema(), null, 2)}\n`))
  return root
}

/** Runs one command line; returns the exit code. Errors that the user can mend are one sentence on stderr. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0
  try {
    await program((given) => {
      code = given
    }).parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_ERROR
    if (!(error instanceof UserError)) throw error
    process.stderr.write(`adatune: ${error.message}\n`)
    return USER_ERROR
  }
  return code
}
