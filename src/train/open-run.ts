import type { RunConfig } from '../config/run-config.ts'
import type { Row } from '../data/row.ts'
import { namesIn } from '../data/row-files.ts'
import { UserError } from '../errors.ts'
import { withinBudget } from '../evaluate/budget.ts'
import { inOrder, trainedLabels } from '../evaluate/class-order.ts'
import { modelLabels, taskColumns } from '../evaluate/dataset.ts'
import { type OpenTask, openTask } from '../evaluate/open-task.ts'
import type { MethodOptions } from '../methods/index.ts'
import { textMetricFault } from '../metrics/text/index.ts'
import type { Model } from '../models/open.ts'
import { tasks } from '../tasks/index.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { labelColumn } from '../tasks/one-example.ts'
import { scoredBySet } from '../tasks/scored-by-set.ts'
import type { LabelNames } from '../tasks/task.ts'
import { type TaskFile, wordLabels } from '../tasks/task-file.ts'
import { labelsOfStart } from './starting-point.ts'
import { checkTexts, textScoreNames } from './written-texts.ts'

/** A run's task on its model, and its method at its size. */
export interface OpenRun {
  readonly open: OpenTask
  readonly options: MethodOptions
}

/** The classes: those the run names, else the task's, else the adapter's, else the model's own, else what the training data has. */
function chooseLabels(config: RunConfig, description: TaskFile, model: Model, rows: readonly Row[] | null): LabelNames {
  const task = tasks[description.kind]
  if (!task.classes) return []
  const fromAdapter = labelsOfStart(config.adapter)
  const own = modelLabels({ model, head: task.head, labels: 1 })
  const given = [config.data.labels, wordLabels(description) ?? description.labels, fromAdapter, own].find((names) => names !== null)
  if (given) return inOrder(given, trainedLabels(fromAdapter, own), config.adapter ?? config.model)
  if (rows === null) throw new UserError(`The classes are told by ${config.data.train}, which is not there; name them as data.labels.`)
  return task.discover(rows, labelColumn(task.labelColumns, config.data.columns ?? taskColumns(description, rows), rows))
}

function checkTraining(config: RunConfig, { name, task, labels }: OpenTask): void {
  const { train, data } = config
  const { classWeights, keepBest, patience, labelSmoothing } = train
  if (classWeights && classWeights.length !== labels.length) {
    throw new UserError(`train.classWeights has ${classWeights.length} weights for ${labels.length} classes (${labels.join(', ')}).`)
  }
  const known = [...task.metricNames, ...textScoreNames(config)]
  if (keepBest !== null && !known.includes(keepBest)) {
    const ofTexts = textMetricFault(keepBest) === null ? ' Scores of texts are there by generate.metric.' : ''
    throw new UserError(`train.keepBest: ${name} has no metric "${keepBest}"; it has ${known.join(', ')}.${ofTexts}`)
  }
  if (labelSmoothing > 0 && !task.classes && !task.overWords)
    throw new UserError(`train.labelSmoothing spreads targets over classes, and ${name} has none.`)
  if (data.eval === null && data.evalShots === null && (keepBest !== null || patience !== null)) {
    throw new UserError(`train.${keepBest === null ? 'patience' : 'keepBest'} needs evaluations: give data.eval or data.evalShots.`)
  }
}

/**
 * Puts the run's task on its model and checks its settings against both; `rows` are those of the training file, null where it is not
 * there. Without `words` a prompt's are left out, which asks no tokenizer and changes no weight.
 */
export function openRun(config: RunConfig, model: Model, rows: readonly Row[] | null, { words = true } = {}): OpenRun {
  const description = describeTask(config.task)
  const labels = chooseLabels(config, description, model, rows)
  const opened = openTask(model, words ? description : { ...description, template: null, labelWords: null }, labels)
  const open = { ...opened, task: scoredBySet(opened.task, namesIn(config.data.eval)) }
  checkTraining(config, open)
  checkTexts(config, open)
  return { open, options: withinBudget(open.subject, open.outline, config.method) }
}
