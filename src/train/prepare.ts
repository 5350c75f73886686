import type { RunConfig } from '../config/run-config.ts'
import type { Example } from '../data/examples.ts'
import { type Row, readRows } from '../data/read-rows.ts'
import { UserError } from '../errors.ts'
import { withinBudget } from '../evaluate/budget.ts'
import { dataset, labelColumn, modelLabels } from '../evaluate/dataset.ts'
import { findModel, type OpenTask, openTask } from '../evaluate/open-task.ts'
import { initialState, missing, type State } from '../evaluate/state.ts'
import { methodFor } from '../evaluate/weight-counts.ts'
import { describeAdapter, isExpertsFile, loadAdapter, loadExperts } from '../formats/index.ts'
import type { MethodOptions } from '../methods/index.ts'
import { locate } from '../models/open.ts'
import { tasks } from '../tasks/index.ts'
import type { LabelNames } from '../tasks/task.ts'
import { type Plan, planRun } from './plan.ts'

/** Everything a run starts from. */
export interface Prepared {
  readonly open: OpenTask
  readonly options: MethodOptions
  readonly memory: unknown
  readonly state: State
  readonly examples: readonly Example[]
  readonly evaluation: readonly Example[] | null
  readonly plan: Plan
  readonly warnings: readonly string[]
}

/** The classes: those the run names, else the adapter's, else the model's own, else what the training data has. */
function chooseLabels(config: RunConfig, fromAdapter: LabelNames | null, fromModel: LabelNames | null, rows: readonly Row[]): LabelNames {
  const task = tasks[config.task]
  if (!task.classes) return []
  const { labels, columns } = config.data
  return labels ?? fromAdapter ?? fromModel ?? task.discover(rows, labelColumn(columns, rows))
}

/** Method parameters of a saved adapter or mixture in place of fresh ones; they must be of the shapes that the run's method makes. */
function startFrom(config: RunConfig, open: OpenTask, options: MethodOptions): { state: State; memory: unknown } {
  const { subject, outline } = open
  const file = config.adapter!
  const formatSubject = { model: subject.model, outline }
  const fresh = (memory: unknown): State =>
    initialState(subject, outline, methodFor(subject, outline, options, null, memory), config.train.seed, config.train.trainAlso)
  if (isExpertsFile(file)) {
    const state = fresh(null)
    for (const [name, tensor] of loadExperts(file, state)) state.set(name, tensor)
    return { state, memory: null }
  }
  const adapter = loadAdapter(file, formatSubject)
  if (adapter.options.name !== options.name) {
    throw new UserError(`adapter: ${file} holds ${adapter.options.name}, but the run's method is ${options.name}.`)
  }
  const state = fresh(adapter.memory)
  for (const [name, tensor] of adapter.state) {
    const expected = state.get(name)
    if (!expected)
      throw new UserError(`adapter: ${file} holds "${name}", which the run's method does not train; give both the same targets.`)
    if (expected.shape.join() !== tensor.shape.join()) {
      throw new UserError(`adapter: "${name}" in ${file} is [${tensor.shape}], but the run's method makes it [${expected.shape}].`)
    }
    state.set(name, tensor)
  }
  return { state, memory: adapter.memory }
}

/** Opens model and data and checks them against each other; nothing is written. */
export async function prepare(config: RunConfig, notice: (text: string) => void = () => {}): Promise<Prepared> {
  const model = await findModel(config.model, notice)
  const rows = await readRows(config.data.train)
  const evalRows = config.data.eval === null ? null : await readRows(config.data.eval)
  const fromAdapter = config.adapter === null || isExpertsFile(config.adapter) ? null : describeAdapter(config.adapter).labels
  const probe = { model, head: tasks[config.task].head, labels: 1 }
  const open = openTask(model, config.task, chooseLabels(config, fromAdapter, modelLabels(probe), rows))
  const { subject, outline, task, labels } = open
  const { classWeights, keepBest, trainAlso, seed } = config.train
  if (classWeights && classWeights.length !== labels.length) {
    throw new UserError(`train.classWeights has ${classWeights.length} weights for ${labels.length} classes (${labels.join(', ')}).`)
  }
  if (keepBest !== null && !task.metricNames.includes(keepBest)) {
    throw new UserError(`train.keepBest: ${config.task} has no metric "${keepBest}"; it has ${task.metricNames.join(', ')}.`)
  }
  const options = withinBudget(subject, outline, config.method)
  const read = { columns: config.data.columns, maxLength: config.data.maxLength, labelled: true }
  const examples = dataset(model, task, labels, rows, read)
  const plan = planRun(examples, config.train)
  const started =
    config.adapter === null
      ? { state: initialState(subject, outline, methodFor(subject, outline, options, plan.totalSteps), seed, trainAlso), memory: null }
      : startFrom(config, open, options)
  for (const { name, shape } of outline.base.values()) if (model.find(name)) locate(model, name, shape)
  const fresh = missing(subject, outline).filter((name) => !/^(classifier|pre_classifier|qa_outputs)\b/.test(name))
  return {
    open,
    options,
    ...started,
    examples,
    evaluation: evalRows && dataset(model, task, labels, evalRows, read),
    plan,
    warnings: fresh.length > 0 ? [`The model has no ${fresh.join(', ')}: made anew, trained and saved with the adapter.`] : [],
  }
}
