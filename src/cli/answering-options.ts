import type { Command } from 'commander'
import { bases } from '../lowering/bases.ts'
import { deviceChoices } from '../onnx/devices.ts'

/** The values of an option that may be repeated. */
export const collect = (value: string, all: string[] = []): string[] => [...all, value]

/** What says which model answers, and how it computes. */
export function withModel(command: Command): Command {
  return command
    .requiredOption('--model <folder or id>', 'model folder, or the name of one on the Hugging Face hub')
    .option('--base <form>', `how frozen weights take part in products: ${bases.join(', ')}`, 'float32')
    .option('--device <name>', `where to compute: ${deviceChoices.join(', ')}`, 'cpu')
}

/** What says how rows are read. */
export function withColumns(command: Command): Command {
  return command
    .option('--task <task>', 'a kind of task, a name such as glue/rte, or a task file; needed where neither adapter nor model tells')
    .option('--labels <names>', 'class names in order, comma-separated')
    .option('--text-column <name>', 'column of the text')
    .option('--pair-column <name>', 'column of the second text')
    .option('--label-column <name>', 'column of the label')
    .option('--choices-column <name>', 'column of a list of choices; of a column for each, repeat it', collect)
    .option('--max-length <tokens>', "truncate texts to so many tokens; by default as in the adapter's run, else as the task has it")
}

/** What `eval` and `predict` share. */
export function answering(command: Command): Command {
  return withModel(withColumns(command))
    .option('--id-column <name>', 'column of what names a row in its answer; id by default')
    .option('--span <key=value>', 'how answers are found in long texts, e.g. nullThreshold=1.5; may be repeated', collect)
    .option('--batch-size <rows>', 'rows at a time', '64')
    .option('--inference <mode>', "of an adamix run's adapter: merged, expert:K, random or ensemble:N", 'merged')
    .option('--seed <number>', 'of random routes', '1')
    .option('--quiet', 'print errors only')
}
