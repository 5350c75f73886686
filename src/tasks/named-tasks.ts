import { readdirSync } from 'node:fs'
import { join, parse } from 'node:path'
import { z } from 'zod'
import { didYouMean, UserError } from '../errors.ts'
import { taskNames } from '../heads/index.ts'
import { packageFile } from '../package.ts'
import { parseSettings, readSettings } from '../settings/document.ts'
import { type TaskFile, taskFile } from './task-file.ts'

const folder = packageFile('tasks/named')

/** The tasks that have a name, by family and name: data in the form of task files; a build makes JSON of them. */
const named: ReadonlyMap<string, TaskFile> = new Map(
  readdirSync(folder).flatMap((file) => {
    const tasks = readSettings(z.record(z.string(), taskFile), join(folder, file), 'file')
    return Object.entries(tasks).map(([name, task]) => [`${parse(file).name}/${name}`, task] as const)
  }),
)

/** The kinds of tasks, and the tasks that have a name. */
export const knownTasks = [...taskNames, ...named.keys()] as [string, ...string[]]

/** How the path of a task file ends. */
export const taskFilePath = /\.(ya?ml|json)$/i

/**
 * A task by its kind, its name, the path of a file, or as such a file describes it.
 * @throws UserError for another word, with the nearest, and for a file that describes no task
 */
export function describeTask(task: string | TaskFile): TaskFile {
  if (typeof task !== 'string') return task
  const known = named.get(task)
  if (known) return known
  if ((taskNames as readonly string[]).includes(task)) return parseSettings(taskFile, { kind: task }, `task ${task}`)
  if (taskFilePath.test(task)) return readSettings(taskFile, task, 'task file')
  throw new UserError(
    `The task "${task}" is not known; known are ${knownTasks.join(', ')}, and files such as ./my-task.yaml.${didYouMean(task, knownTasks)}`,
  )
}
