import { byLength } from '../data/order.ts'
import { loadTokenizer } from '../data/tokenizer.ts'
import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { type Question, rowOf } from '../evaluate/answering.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { findModel } from '../evaluate/open-task.ts'
import type { PredictorOptions } from '../evaluate/predictor.ts'
import { openReader } from '../evaluate/reader.ts'
import { deployed } from '../nn/method.ts'
import { type Task, write } from './generate.ts'
import { modelSettings, withDefaults } from './model-settings.ts'
import type { GenerationOptions } from './options.ts'
import { openWriter } from './writer.ts'

/** A text that a model wrote. */
export interface Written {
  readonly text: string
  /** Its tokens, the one that ended it included. */
  readonly tokens: readonly number[]
}

/** A model that writes texts. */
export interface Generator {
  /** What the model writes after each prompt, or in answer to each text; told of each one that is done. */
  generate(questions: readonly Question[], options?: Partial<GenerationOptions>, done?: (texts: number) => void): Promise<Written[]>
  close(): Promise<void>
}

export interface GeneratorOptions extends Omit<PredictorOptions, 'labels' | 'inference' | 'seed'> {
  /** Of the engine; by default as many as the machine has cores. */
  readonly threads?: number
}

const kinds = ['causal-lm', 'seq2seq-lm'] as const

/**
 * Opens a model with an adapter for writing: one with a decoder answers a text, others go on from a prompt.
 * @throws UserError where the model writes no texts, or model and adapter do not fit
 * @example
 * const model = await openGenerator({ model: 'models/flan-t5-small', adapter: 'runs/e2e/adapter' })
 * const [answer] = await model.generate(['name[Aromi], food[English]'], { beams: 4 })
 */
export async function openGenerator(options: GeneratorOptions): Promise<Generator> {
  const { adapter = null, batchSize = 16, notice = () => {} } = options
  const model = await findModel(options.model, notice)
  const own = kinds.find((kind) => model.wiring.heads[kind])
  if (!own) throw new UserError(`A ${model.modelType} writes no texts; take a model such as gpt2, t5 or bart.`)
  const adapted = openAdapted(model, { adapter, task: options.task ?? own, labels: [] }, notice)
  const { method, state } = deployed(adapted.method, adapted.state)
  const writer = await openWriter(adapted.open.subject, method, state, options)
  const read = openReader(adapted, options)
  const settings = modelSettings(model)
  const tokenizer = loadTokenizer(model.folder)
  const { reserved } = arrangement(adapted.open.subject, method)
  const { decoder, maxPositions } = model.wiring
  return {
    async generate(questions, given = {}, done) {
      const chosen = withDefaults(given, settings)
      const examples = read(questions.map(rowOf), false).map(({ examples: [first] }) => first!)
      const task: Task = {
        ends: settings.ends,
        given: ({ ids }) => (decoder ? [decoder.start] : [...ids]),
        room: ({ ids }) => maxPositions - reserved - (decoder ? 1 : ids.length),
      }
      const full = examples.find((example) => task.room(example) < 1)
      if (full) throw new UserError(`${full.file}:${full.line}: the text fills the model's ${maxPositions} positions; shorten it.`)
      const texts: Written[] = new Array(examples.length)
      const order = byLength(examples)
      for (let start = 0; start < order.length; start += batchSize) {
        const batch = order.slice(start, start + batchSize)
        const tokens = await write(
          writer,
          batch.map((i) => examples[i]!),
          task,
          chosen,
          batch,
        )
        for (const [row, i] of batch.entries()) {
          const own = tokens[row]!
          texts[i] = { text: tokenizer.decode(own.filter((id) => !settings.ends.includes(id))), tokens: own }
        }
        done?.(start + batch.length)
      }
      return texts
    },
    close: () => writer.close(),
  }
}
