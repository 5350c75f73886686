import type { Example } from '../data/examples.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { drawClass } from '../tasks/softmax.ts'
import { openSearch, type Search, searchOn } from './beams.ts'
import type { GenerationOptions } from './options.ts'
import { applyRules, type Sofar } from './rules.ts'
import { narrowed } from './sampling.ts'
import { largest, normalise } from './scores.ts'
import type { Writer, Writing } from './writer.ts'

/** What a model writes by. */
export interface Task {
  /** Tokens that end a text. */
  readonly ends: readonly number[]
  /** What is in front of what is written, for rules about repetitions. */
  readonly given: (example: Example) => readonly number[]
  /** How many tokens there is room for behind an example. */
  readonly room: (example: Example) => number
}

/** Scores of the next token of a text that is being written. */
const scoresOf = ({ logits, vocabulary }: Writing, text: number): Float32Array => logits.slice(text * vocabulary, (text + 1) * vocabulary)

/** Tokens that end what is written after an example. */
const endsOf = ({ ends = [] }: Example, task: Task): readonly number[] => [...task.ends, ...ends]

/** How many tokens may be written after an example. */
const mostOf = (example: Example, { room }: Task, { maxNewTokens }: GenerationOptions): number => Math.min(maxNewTokens, room(example))

/** Where a text after an example stands. */
function sofarOf(example: Example, written: readonly number[], task: Task, options: GenerationOptions): Sofar {
  const given = task.given(example)
  return { ids: [...given, ...written], given: given.length, most: mostOf(example, task, options), ends: endsOf(example, task) }
}

/** Hears of each token as it comes, and may end the text by false. */
export type Listener = (example: number, token: number) => boolean

/**
 * Takes a token at a time, the likeliest or a drawn one, from where `writing` stands behind the examples. What was written, and where
 * writing stands then: behind all but the last token of the texts that were open last.
 */
export async function writeOn(
  writing: Writing,
  examples: readonly Example[],
  numbers: readonly number[],
  task: Task,
  options: GenerationOptions,
  heard: Listener = () => true,
): Promise<{ readonly written: number[][]; readonly writing: Writing }> {
  const written = examples.map((): number[] => [])
  const most = examples.map((example) => mostOf(example, task, options))
  let open = examples.map((_, i) => i)
  let at = writing
  while (open.length > 0) {
    const chosen = open.map((i, text) => {
      const scores = scoresOf(at, text)
      applyRules(scores, sofarOf(examples[i]!, written[i]!, task, options), options)
      if (!options.sample) return largest(scores, 1)[0]!.index
      return drawClass(narrowed(scores, options), stream(keyOf('generate', options.seed, numbers[i]!, written[i]!.length)))
    })
    for (const [text, i] of open.entries()) written[i]!.push(chosen[text]!)
    const goes = open.map((i, text) => {
      const ended = endsOf(examples[i]!, task).includes(chosen[text]!) || written[i]!.length >= most[i]!
      return heard(i, chosen[text]!) && !ended
    })
    const texts = [...open.keys()].filter((text) => goes[text])
    open = texts.map((text) => open[text]!)
    if (open.length > 0)
      at = await at.advance(
        texts,
        texts.map((text) => chosen[text]!),
      )
  }
  return { written, writing: at }
}

/** Pursues several texts for each example. */
async function byBeams(writer: Writer, examples: readonly Example[], task: Task, options: GenerationOptions): Promise<number[][]> {
  const searches = examples.map((): Search => openSearch(options.beams))
  let writing = await writer.begin(examples)
  /** The text in `writing` of each beam of each example that is not done; all beams begin as one. */
  let places = new Map(examples.map((_, i) => [i, searches[i]!.running.map(() => i)] as const))
  while (places.size > 0) {
    const [texts, tokens]: [number[], number[]] = [[], []]
    const next = new Map<number, number[]>()
    for (const [i, own] of places) {
      const [example, search] = [examples[i]!, searches[i]!]
      const scores = search.running.map((beam, k) => {
        const row = scoresOf(writing, own[k]!)
        normalise(row)
        applyRules(row, sofarOf(example, beam.written, task, options), options)
        return row
      })
      const after = searchOn(search, scores, endsOf(example, task), mostOf(example, task, options), options)
      searches[i] = after
      if (after.done) continue
      next.set(
        i,
        after.running.map(({ parent, written }) => {
          tokens.push(written.at(-1)!)
          return texts.push(own[parent]!) - 1
        }),
      )
    }
    places = next
    if (places.size > 0) writing = await writing.advance(texts, tokens)
  }
  return searches.map(({ ended }) => [...ended[0]!.written])
}

/**
 * What a model writes after each example: the ids of the tokens, their end included where it came. Greedy, drawn, or by beam search, with
 * the results of HF's `generate` under the same settings. `numbers` are those of the examples among all, on which
 * draws depend.
 */
export async function write(
  writer: Writer,
  examples: readonly Example[],
  task: Task,
  options: GenerationOptions,
  numbers: readonly number[] = examples.map((_, i) => i),
): Promise<number[][]> {
  if (options.beams > 1) return byBeams(writer, examples, task, options)
  return (await writeOn(await writer.begin(examples), examples, numbers, task, options)).written
}
