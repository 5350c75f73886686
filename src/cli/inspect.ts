import { parseRun } from '../config/parse.ts'
import type { RunConfig } from '../config/run-config.ts'
import { UserError } from '../errors.ts'
import { findConfig } from '../evaluate/find-model.ts'
import { inspectMethod } from '../evaluate/inspection.ts'
import { methodFor } from '../evaluate/method-for.ts'
import { openTask } from '../evaluate/open-task.ts'
import { spectra } from '../evaluate/spectrum.ts'
import { type Adapter, describeAdapter, loadAdapter } from '../formats/index.ts'
import { withSettings } from '../settings/plain.ts'
import { tasks } from '../tasks/index.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { plainTask, wordLabels } from '../tasks/task-file.ts'
import { stepCost } from '../train/forecast/step-cost.ts'
import { collect } from './answering-options.ts'
import type { Define } from './commands.ts'
import { baseText, methodText } from './inspection-text.ts'
import { inspectModel } from './model-inspection.ts'
import { positiveFlag, printNotice } from './options.ts'
import { spectrumText } from './spectrum-text.ts'

export interface InspectFlags {
  readonly model: string
  readonly task: string
  /** Number of classes. */
  readonly labels: number
  readonly method?: string | undefined
  /** Settings of a run: the method's, and batch size and length to count operations for. */
  readonly set: readonly string[]
  readonly json: boolean
  /** A saved adapter, in place of a method. */
  readonly adapter?: string | undefined
}

/** The run that the flags would make; its data is never read. */
function runOf({ model, task, method, set }: InspectFlags): RunConfig {
  const raw = withSettings({ model, task, data: { train: '-' }, ...(method !== undefined && { method: { name: method } }) }, set)
  const given = raw.method as { name?: unknown } | undefined
  if (method === undefined && given !== undefined && given.name === undefined)
    throw new UserError('--set of a method needs --method, its name.')
  return parseRun(raw, 'inspect')
}

/** Weights, operations and targets of a model, alone or with a method or saved adapter; a config.json is enough. Ends in a line break. */
export async function inspect(flags: InspectFlags): Promise<string> {
  const { adapter: folder, json } = flags
  if (folder !== undefined && flags.method !== undefined) throw new UserError('Give either --method or --adapter.')
  const run = runOf(flags)
  const model = await findConfig(flags.model)
  const card = folder === undefined ? null : describeAdapter(folder)
  const names = card?.labels ?? Array.from({ length: card?.outputs ?? flags.labels }, (_, i) => `LABEL_${i}`)
  const task = card?.task ? { ...plainTask(card.task), ...card.prompt } : describeTask(flags.task)
  const open = openTask(model, task, tasks[task.kind].classes ? (wordLabels(task) ?? task.labels ?? names) : [])
  const { subject, outline } = open
  const length = Math.min(run.data.maxLength ?? open.task.maxLength, model.wiring.maxPositions)
  const about = inspectModel(open, length)
  const print = (object: unknown, text: () => string): string => (json ? `${JSON.stringify(object, null, 2)}\n` : text())

  const adapter: Adapter | null = folder === undefined ? null : loadAdapter(folder, { model, outline }, printNotice)
  const given =
    adapter?.options ?? (flags.method !== undefined || flags.set.some((setting) => setting.startsWith('method.')) ? run.method : null)
  if (given === null) return print(about, () => baseText(about))
  const memory = adapter?.memory ?? null
  const found = inspectMethod(subject, outline, given, { length, memory })
  const made = methodFor(subject, outline, found.options, null, memory)
  const step = stepCost(open, made, run.train, { length })
  const own = adapter ? { spectra: spectra(outline, made, adapter.state) } : null
  return print(
    { model: about, method: found, step, ...own },
    () => methodText(about, given, found, step) + spectrumText(own?.spectra ?? []),
  )
}

export const defineInspect: Define = (command) =>
  command
    .requiredOption('--model <folder or id>', 'model folder, or the name of one on the hub')
    .option('--task <task>', 'a kind of task, a name such as glue/rte, or a task file', 'sequence-classification')
    .option('--labels <count>', 'number of classes', '2')
    .option('--method <name>', 'a PEFT method')
    .option('--set <key=value>', 'change a setting, e.g. method.r=8; may be repeated', collect, [])
    .option('--adapter <folder>', 'a saved adapter, in place of a method')
    .option('--json', 'print an object', false)
    .action(async ({ labels, ...flags }: Omit<InspectFlags, 'labels'> & { labels: string }) => {
      process.stdout.write(await inspect({ ...flags, labels: positiveFlag('labels', labels) }))
    })
