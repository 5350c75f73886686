import type { Message } from '../data/conversations.ts'
import { loadTokenizer } from '../data/tokenizer.ts'
import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { rowOf } from '../evaluate/answering.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { closing } from '../evaluate/closing.ts'
import { findModel } from '../evaluate/find-model.ts'
import { openReader } from '../evaluate/reader.ts'
import { deployed } from '../nn/method.ts'
import { writeOn } from './generate.ts'
import type { GeneratorOptions } from './generator.ts'
import { modelSettings, withDefaults } from './model-settings.ts'
import { writingTask } from './model-texts.ts'
import type { GenerationOptions } from './options.ts'
import { openWriter, type Writing } from './writer.ts'

export interface ChatOptions extends Omit<GeneratorOptions, 'batchSize' | 'task' | 'columns' | 'progress'> {
  /** What the assistant is told before the conversation. */
  readonly system?: string | null
  /** How it writes, token by token; 512 tokens at most where neither this nor the model says. */
  readonly generation?: Partial<GenerationOptions>
}

/** A conversation with a model. */
export interface Chat {
  /**
   * The answer to what the user says next. `told` hears it piece by piece and ends it by false.
   * @throws UserError where the conversation fills the model's positions; it then stands as before
   */
  say(text: string, told?: (piece: string) => boolean): Promise<string>
  /** Begins anew. */
  reset(): void
  close(): Promise<void>
}

/** The room of an answer where nobody says. */
const MOST_TOKENS = 512

/**
 * Opens a model with an adapter for a conversation. Each turn reads what is new alone.
 * @throws UserError for a model that does not go on with texts or has no chat template, and for options that cannot be
 * @example
 * const chat = await openChat({ model: 'models/smollm2-135m-instruct' })
 * console.log(await chat.say('What is a fable?'))
 */
export async function openChat(options: ChatOptions): Promise<Chat> {
  const { adapter = null, system = null, generation = {}, notice = () => {} } = options
  const model = await findModel(options.model, notice, options)
  if (!model.wiring.heads['causal-lm'])
    throw new UserError(`A ${model.modelType} holds no conversations; take a model such as llama or qwen2.`)
  if ((generation.beams ?? 1) > 1) throw new UserError('A chat writes one token after another; leave out beams.')
  const adapted = openAdapted(model, { adapter, task: 'causal-lm', labels: [] }, notice)
  const { method, state } = deployed(adapted.method, adapted.state)
  const { reserved } = arrangement(adapted.open.subject, method)
  const most = model.wiring.maxPositions - reserved
  const read = openReader(adapted, { ...options, maxLength: options.maxLength ?? most })
  const settings = modelSettings(model)
  const chosen = withDefaults({ ...generation, beams: 1 }, { ...settings, options: { maxNewTokens: MOST_TOKENS, ...settings.options } })
  const task = writingTask(adapted.open.subject, method)
  const { decode } = loadTokenizer(model.folder)
  const start: readonly Message[] = system === null ? [] : [{ role: 'system', content: system }]
  const exampleOf = (messages: readonly Message[]) => read([rowOf({ messages }, 0)], false)[0]!.examples[0]!
  // A model without a template, or with one that wants other turns, is found out before it is compiled.
  exampleOf([...start, { role: 'user', content: 'Hello.' }])
  const writer = await openWriter(adapted.open.subject, method, state, options)
  let messages = start
  let stands: Writing | null = null
  const { during, close } = closing('chat', () => writer.close())
  return {
    say: (text, told = () => true) =>
      during(async () => {
        const asked: readonly Message[] = [...messages, { role: 'user', content: text }]
        const example = exampleOf(asked)
        if (task.room(example) < 1) throw new UserError(`The conversation fills the model's ${most} positions; begin anew.`)
        const ends = [...task.ends, ...(example.ends ?? [])]
        const tokens: number[] = []
        let said = ''
        const answer = (): string => decode(tokens.filter((id) => !ends.includes(id)))
        const begun: Writing = stands ? await stands.turnTo(0, example) : await writer.begin([example])
        const { writing } = await writeOn(begun, [example], [messages.length], task, chosen, (_, token) => {
          tokens.push(token)
          const sofar = answer()
          // A character may take several tokens.
          if (sofar.endsWith('\uFFFD')) return true
          const piece = sofar.slice(said.length)
          said = sofar
          return piece === '' || told(piece)
        })
        stands = writing
        messages = [...asked, { role: 'assistant', content: answer() }]
        return answer()
      }),
    reset() {
      messages = start
      stands = null
    },
    close,
  }
}
