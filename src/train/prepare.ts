import type { RunConfig } from '../config/run-config.ts'
import { type Example, examplesIn, type Item } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Columns, Reading } from '../data/reading.ts'
import { UserError } from '../errors.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { isHead } from '../evaluate/assembly.ts'
import { withinBudget } from '../evaluate/budget.ts'
import { asked, dataset, modelLabels, taskColumns } from '../evaluate/dataset.ts'
import { findModel, type OpenTask, openTask } from '../evaluate/open-task.ts'
import { missing, type State } from '../evaluate/state.ts'
import { methodFor } from '../evaluate/weight-counts.ts'
import { describeAdapter, isExpertsFile } from '../formats/index.ts'
import type { MethodOptions } from '../methods/index.ts'
import { locate } from '../models/open.ts'
import { tasks } from '../tasks/index.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { labelColumn } from '../tasks/one-example.ts'
import type { LabelNames } from '../tasks/task.ts'
import { type TaskFile, wordLabels } from '../tasks/task-file.ts'
import { readDataSets, withShots } from './data-sets.ts'
import { type Plan, planRun } from './plan.ts'
import { startingPoint } from './starting-point.ts'

/** Everything a run starts from. */
export interface Prepared {
  readonly open: OpenTask
  readonly options: MethodOptions
  readonly memory: unknown
  readonly state: State
  /** How its training rows are read, every choice made. */
  readonly reading: Reading
  readonly examples: readonly Example[]
  readonly evaluation: readonly Item[] | null
  readonly test: readonly Item[] | null
  readonly plan: Plan
  readonly warnings: readonly string[]
}

/** The classes: those the run names, else the task's, else the adapter's, else the model's own, else what the training data has. */
function chooseLabels(description: TaskFile, given: readonly (LabelNames | null)[], rows: readonly Row[], column: string): LabelNames {
  const task = tasks[description.kind]
  if (!task.classes) return []
  return given.find((names) => names !== null) ?? task.discover(rows, column)
}

/** Opens model and data and checks them against each other; nothing is written. */
export async function prepare(config: RunConfig, notice: (text: string) => void = () => {}): Promise<Prepared> {
  const model = await findModel(config.model, notice)
  const files = await readDataSets(config)
  const fromAdapter = config.adapter === null || isExpertsFile(config.adapter) ? null : describeAdapter(config.adapter).labels
  const description = describeTask(config.task)
  const columnsOf = (rows: readonly Row[]): Columns | null => config.data.columns ?? taskColumns(description, rows)
  const columns = columnsOf(files.train)
  const column = labelColumn(tasks[description.kind].labelColumns, columns, files.train)
  const known = [config.data.labels, wordLabels(description) ?? description.labels, fromAdapter]
  const own = modelLabels({ model, head: tasks[description.kind].head, labels: 1 })
  const open = openTask(model, description, chooseLabels(description, [...known, own], files.train, column))
  const { subject, outline, task, labels } = open
  const sets = withShots(files, task, labels, column, config)
  const { classWeights, keepBest, patience, labelSmoothing } = config.train
  if (classWeights && classWeights.length !== labels.length) {
    throw new UserError(`train.classWeights has ${classWeights.length} weights for ${labels.length} classes (${labels.join(', ')}).`)
  }
  if (keepBest !== null && !task.metricNames.includes(keepBest)) {
    throw new UserError(`train.keepBest: ${open.name} has no metric "${keepBest}"; it has ${task.metricNames.join(', ')}.`)
  }
  if (labelSmoothing > 0 && !task.classes && !task.overWords)
    throw new UserError(`train.labelSmoothing spreads targets over classes, and ${open.name} has none.`)
  if (sets.eval === null && (keepBest !== null || patience !== null)) {
    throw new UserError(`train.${keepBest === null ? 'patience' : 'keepBest'} needs evaluations: give data.eval or data.evalShots.`)
  }
  const options = withinBudget(subject, outline, config.method)
  const { reserved } = arrangement(subject, methodFor(subject, outline, options))
  const { maxLength, spans, texts } = config.data
  const unsettled = { columns, maxLength: maxLength ?? task.maxLength, spans, texts }
  const reading = task.settle?.(sets.train, unsettled) ?? unsettled
  const read = (rows: readonly Row[]): Item[] =>
    dataset(model, task, labels, rows, { reading: { ...reading, columns: columnsOf(rows) }, labelled: true, reserved })
  const examples = examplesIn(read(sets.train))
  const plan = planRun(examples, config.train, task.drawn)
  const { warnings, ...started } = startingPoint(config, open, options, plan.totalSteps)
  for (const { name, shape } of outline.base.values()) if (model.find(name)) locate(model, name, shape)
  const fresh = missing(subject, outline).filter((name) => !isHead(subject, name))
  return {
    open,
    options,
    ...started,
    reading,
    examples,
    evaluation: sets.eval && asked(task, read(sets.eval)),
    test: sets.test && asked(task, read(sets.test)),
    plan,
    warnings:
      fresh.length > 0 ? [...warnings, `The model has no ${fresh.join(', ')}: made anew, trained and saved with the adapter.`] : warnings,
  }
}
