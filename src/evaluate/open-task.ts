import { loadTokenizer, type Tokenizer } from '../data/tokenizer.ts'
import { UserError } from '../errors.ts'
import type { TaskName } from '../heads/index.ts'
import type { Model } from '../models/open.ts'
import { tasks } from '../tasks/index.ts'
import type { LabelNames, Task } from '../tasks/task.ts'
import { plainTask, promptOf, type TaskFile } from '../tasks/task-file.ts'
import { type Outline, outline, type Subject } from './assembly.ts'

/** A model with the head of a task on it. */
export interface OpenTask {
  readonly name: TaskName
  readonly description: TaskFile
  readonly task: Task
  readonly labels: LabelNames
  readonly subject: Subject
  readonly outline: Outline
}

/** The task with the metrics that its description names, and the loss. */
function withMetrics(task: Task, { metrics }: TaskFile): Task {
  if (metrics === null) return task
  const metricNames = [...new Set([...metrics, 'loss'])]
  return {
    ...task,
    primary: metrics[0]!,
    metricNames,
    metrics(...given) {
      const all = task.metrics(...given)
      // What is no metric by itself, such as a threshold, stays.
      const rest = Object.keys(all).filter((name) => !task.metricNames.includes(name))
      return Object.fromEntries([...metricNames, ...rest].flatMap((name) => (name in all ? [[name, all[name]!]] : [])))
    },
  }
}

/** Throws UserError where two classes have one name. */
function assertApart(labels: LabelNames): void {
  const twice = labels.find((name, i) => labels.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`The classes ${labels.join(', ')} have "${twice}" twice; name each once.`)
}

/** Puts the head of a task, or of a kind, on a model; tasks without classes have no labels. */
export function openTask(model: Model, task: TaskName | TaskFile, labels: LabelNames): OpenTask {
  const description = typeof task === 'string' ? plainTask(task) : task
  const { kind: name } = description
  assertApart(labels)
  let tokenizer: Tokenizer | null = null
  const { vocabularySize } = model.wiring
  const setting = { labels, vocabularySize, prompt: promptOf(description), tokenizer: () => (tokenizer ??= loadTokenizer(model.folder)) }
  const opened = withMetrics(tasks[name].opened?.(setting) ?? tasks[name], description)
  const subject: Subject = { model, head: opened.head, labels: labels.length }
  return { name, description, task: opened, labels, subject, outline: outline(subject) }
}
