import type { Example } from '../data/examples.ts'
import { byLength } from '../data/order.ts'
import { loadTokenizer } from '../data/tokenizer.ts'
import { UserError } from '../errors.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import type { Subject } from '../evaluate/assembly.ts'
import type { Progress } from '../evaluate/progress.ts'
import type { Method } from '../nn/method.ts'
import { type Task, write } from './generate.ts'
import { modelSettings, withDefaults } from './model-settings.ts'
import type { GivenOptions } from './options.ts'
import type { Writer } from './writer.ts'

/** A text that a model wrote. */
export interface Written {
  readonly text: string
  /** Its tokens, the one that ended it included. */
  readonly tokens: readonly number[]
}

/** How a model's texts are asked for. */
export interface ModelTexts {
  /** UserError for the first example that leaves the model no room to write. */
  checkRoom(examples: readonly Example[]): void
  /** A text for each example, batch by batch. */
  write(writer: Writer, examples: readonly Example[], given: GivenOptions, batchSize: number, progress?: Progress): Promise<Written[]>
}

/** What a model begins a text with, the room that it has, and what ends it. */
export function writingTask({ model }: Pick<Subject, 'model'>, method: Pick<Method, 'sequence'>): Task {
  const { decoder, maxPositions } = model.wiring
  const { reserved } = arrangement({ model }, method)
  return {
    ends: modelSettings(model).ends,
    given: ({ ids }) => (decoder ? [decoder.start] : [...ids]),
    room: ({ ids }) => maxPositions - reserved - (decoder ? 1 : ids.length),
  }
}

export function modelTexts(subject: Subject, method: Pick<Method, 'sequence'>): ModelTexts {
  const { model } = subject
  const { maxPositions } = model.wiring
  const settings = modelSettings(model)
  const tokenizer = loadTokenizer(model.folder)
  const task = writingTask(subject, method)
  function checkRoom(examples: readonly Example[]): void {
    const full = examples.find((example) => task.room(example) < 1)
    if (full) throw new UserError(`${full.file}:${full.line}: the text fills the model's ${maxPositions} positions; shorten it.`)
  }
  return {
    checkRoom,
    async write(writer, examples, given, batchSize, progress) {
      const options = withDefaults(given, settings)
      checkRoom(examples)
      const texts: Written[] = new Array(examples.length)
      const order = byLength(examples)
      for (let start = 0; start < order.length; start += batchSize) {
        const batch = order.slice(start, start + batchSize)
        const chosen = batch.map((i) => examples[i]!)
        const tokens = await write(writer, chosen, task, options, batch)
        for (const [row, i] of batch.entries()) {
          const own = tokens[row]!
          texts[i] = { text: tokenizer.decode(own.filter((id) => !settings.ends.includes(id))), tokens: own }
        }
        progress?.(start + batch.length, order.length, 'texts')
      }
      return texts
    },
  }
}
