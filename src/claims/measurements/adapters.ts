import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { findModel } from '../../evaluate/find-model.ts'
import { methodFor } from '../../evaluate/method-for.ts'
import { openTask } from '../../evaluate/open-task.ts'
import { initialState } from '../../evaluate/state.ts'
import { saveAdapter } from '../../formats/index.ts'
import { mergeAdapter } from '../../merging/merge.ts'
import { methodOptions } from '../../methods/index.ts'
import { median } from '../../metrics/moments.ts'
import { packageProgram } from '../../package.ts'
import { bytes, digits } from '../../track/numbers.ts'
import { folderBytes } from '../../weights/folder-bytes.ts'
import { exactly, ranging } from '../amount.ts'
import type { Held, Holding } from './holding.ts'
import type { Measured, Measurement } from './index.ts'

const options = z.strictObject({
  model: z.string().min(1),
  method: methodOptions,
  /** Tasks, each with an adapter of its own. */
  tasks: z.number().int().min(2).default(10),
  /** Processes of each kind: what one holds depends on when it gives back what it let go of. */
  rounds: z.number().int().min(1).default(5),
})
type Options = z.infer<typeof options>

const program = packageProgram('claims/measurements/holding')

/** What a process holds that has all of it open, and how long it takes to change from one to another. */
const held = (holding: Holding): Promise<Held> =>
  new Promise((resolve, reject) => {
    const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.on('message', (message: Held | { failed: string }) =>
      'failed' in message ? reject(new UserError(message.failed)) : resolve(message),
    )
    child.on('error', reject)
    child.on('close', (code) => reject(new Error(`a process that was measured ended with code ${code}`)))
    child.send(holding)
  })

/** Adapters as they begin, each with a copy of the model that it is merged into; made once. */
async function make({ model: id, method }: Options, folders: readonly string[]): Promise<string> {
  const model = await findModel(id)
  const { subject, outline, name, labels } = openTask(model, 'sequence-classification', ['0', '1'])
  const made = methodFor(subject, outline, method)
  for (const [seed, folder] of folders.entries()) {
    const state = initialState(subject, outline, made, seed)
    const card = { task: name, labels, outputs: 2, baseModel: null, adapterName: null, totalSteps: null }
    if (!existsSync(folder)) saveAdapter(folder, { options: method, memory: null, state, card }, { model, outline })
    if (!existsSync(`${folder}-merged`)) await mergeAdapter({ model: id, adapter: folder, out: `${folder}-merged` })
  }
  return model.folder
}

/** One model with an adapter for each task beside a copy of the model for each: bytes on disk, memory, and the change of the task. */
export const adapters: Measurement<Options> = {
  options,
  names: ['disk', 'memory', 'change'],
  async measure(given, out) {
    const folders = Array.from({ length: given.tasks }, (_, i) => join(out, `task-${i + 1}`))
    const model = await make(given, folders)
    const shared = folderBytes(model) + folders.reduce((sum, folder) => sum + folderBytes(folder), 0)
    const copies = folders.reduce((sum, folder) => sum + folderBytes(`${folder}-merged`), 0)
    const [one, many]: [Held[], Held[]] = [[], []]
    for (let round = 0; round < given.rounds; round++) {
      one.push(await held({ model: given.model, adapters: folders, copies: [] }))
      many.push(await held({ model: given.model, adapters: [], copies: folders.map((folder) => `${folder}-merged`) }))
    }
    const middle = (all: readonly Held[], of: keyof Held): number => median(all.map((each) => each[of]))
    const row = (name: string, disk: number, all: readonly Held[]): string[] => [
      ...[name, bytes(disk), bytes(middle(all, 'memoryBytes'))],
      ...(['openMs', 'answerMs', 'changeMs'] as const).map((of) => `${digits(middle(all, of))} ms`),
    ]
    return {
      amounts: {
        disk: exactly(shared / copies),
        memory: ranging(one.map(({ memoryBytes }, i) => memoryBytes / many[i]!.memoryBytes)),
        change: ranging(one.map(({ changeMs }, i) => changeMs / many[i]!.openMs)),
      },
      rows: [
        ['', 'disk', 'memory', 'opening one more task', 'an answer', 'longer after a change'],
        row('one model with adapters', shared, one),
        row('a copy for each task', copies, many),
      ],
      footing: `${given.tasks} tasks, medians of ${given.rounds} processes of each kind; memory is resident, pages of a file that several maps share counted once where the system tells`,
    } satisfies Measured
  },
}
