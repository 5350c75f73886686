import { tasks } from '../tasks/index.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { digits, metric } from './numbers.ts'

/** How a metric of a task is written, by its name and value. */
export type MetricText = (name: string, value: number) => string

export type NamedTask = Parameters<typeof describeTask>[0]

/** Whether a task tells its shares in percent. */
export const inPercent = (task: NamedTask): boolean => tasks[describeTask(task).kind].percent ?? false

/** As `metric` does, but for shares that are in percent already. */
export const metricText = (percent: boolean): MetricText => (percent ? (_, value) => digits(value) : metric)

/** How the metrics of a task are written. */
export const metricTextOf = (task: NamedTask): MetricText => metricText(inPercent(task))
