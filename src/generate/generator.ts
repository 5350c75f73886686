import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { type Question, rowsOf } from '../evaluate/answering.ts'
import { closing } from '../evaluate/closing.ts'
import { findModel } from '../evaluate/find-model.ts'
import type { PredictorOptions } from '../evaluate/predictor.ts'
import { openReader } from '../evaluate/reader.ts'
import { taskNames } from '../heads/index.ts'
import { deployed } from '../nn/method.ts'
import { tasks } from '../tasks/index.ts'
import { modelTexts, type Written } from './model-texts.ts'
import type { GivenOptions } from './options.ts'
import { openWriter } from './writer.ts'

/** A model that writes texts. */
export interface Generator {
  /**
   * What the model writes after each prompt, or in answer to each text.
   * @throws UserError for options that cannot be, and for a text that fills the model's positions
   */
  generate(questions: readonly Question[], options?: GivenOptions): Promise<Written[]>
  close(): Promise<void>
}

export interface GeneratorOptions extends Omit<PredictorOptions, 'labels' | 'inference' | 'seed' | 'merges' | 'spans'> {
  /** Of the engine; by default as many as the machine has cores. */
  readonly threads?: number
}

/**
 * Opens a model with an adapter for writing: one with a decoder answers a text, others go on from a prompt.
 * @throws UserError where the model writes no texts, or model and adapter do not fit
 * @example
 * const model = await openGenerator({ model: 'models/flan-t5-small', adapter: 'runs/e2e/adapter' })
 * const [answer] = await model.generate(['name[Aromi], food[English]'], { beams: 4 })
 */
export async function openGenerator(options: GeneratorOptions): Promise<Generator> {
  const { adapter = null, batchSize = 16, notice = () => {} } = options
  const model = await findModel(options.model, notice, options)
  const own = taskNames.find((kind) => tasks[kind].writes && model.wiring.heads[tasks[kind].head.wiring])
  if (!own) throw new UserError(`A ${model.modelType} writes no texts; take a model such as gpt2, t5 or bart.`)
  const adapted = openAdapted(model, { adapter, task: options.task ?? own, labels: [] }, notice)
  const { method, state } = deployed(adapted.method, adapted.state)
  const writer = await openWriter(adapted.open.subject, method, state, options)
  const read = openReader(adapted, options)
  const texts = modelTexts(adapted.open.subject, method)
  const { during, close } = closing('generator', () => writer.close())
  return {
    generate: (questions, given = {}) =>
      during(async () => {
        const examples = read(rowsOf(questions), false).map(({ examples: [first] }) => first!)
        return texts.write(writer, examples, given, batchSize, options.progress)
      }),
    close,
  }
}
