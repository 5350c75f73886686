import { tasks } from '../tasks/index.ts'
import { describeTask } from '../tasks/named-tasks.ts'
import { digits, metric } from './numbers.ts'

/** How a metric of a task is written, by its name and value. */
export type MetricText = (name: string, value: number) => string

/** As `metric` does, but for tasks whose shares are in percent already. */
export const metricTextOf = (task: Parameters<typeof describeTask>[0]): MetricText =>
  tasks[describeTask(task).kind].percent ? (_, value) => digits(value) : metric
