import type { Example } from '../data/examples.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { assemble, type Subject } from '../evaluate/assembly.ts'
import { openEngine } from '../evaluate/engine.ts'
import { trainedIn } from '../evaluate/state.ts'
import { decoderFeeds, streamFeeds } from '../evaluate/stream-feeds.ts'
import { type Graph, output } from '../graph/graph.ts'
import type { Memory } from '../nn/memory.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { someTokens } from '../nn/some-tokens.ts'
import type { Feeds, Session } from '../runtime/session.ts'
import { type Cache, openCache } from './cache.ts'
import { type Kept, keptName, parts, pastName, sourceMemory, writingMemory } from './memory.ts'
import { packed, pastFeeds, readFeeds, type Text, tokensOf } from './text-feeds.ts'

/** Texts that are being written, each from a place of its own. */
export interface Writing {
  /** Logits of the next token of each text, `[texts, vocabulary]`. */
  readonly logits: Float32Array
  readonly vocabulary: number
  /** Goes on with these texts, by their number, once or more often or not at all, and a token more each. */
  advance(texts: readonly number[], tokens: readonly number[]): Promise<Writing>
  /** Goes on behind an example in the place of one of the texts, whose tokens it reads no more as far as both are alike. */
  turnTo(text: number, example: Example): Promise<Writing>
}

/** A model that writes. */
export interface Writer {
  /** Begins a text after each example: after its own tokens, or for a model with a decoder after the token that begins one. */
  begin(examples: readonly Example[]): Promise<Writing>
  close(): Promise<void>
}

/**
 * Compiles a model for writing: each call reads the new tokens alone, and finds keys and values of the others in a cache on the host.
 * Which of them belong to a text is an index, so that texts that go on from one share what they have in common.
 */
export async function openWriter(
  subject: Subject,
  method: Method,
  state: ReadonlyMap<string, Tensor>,
  { threads }: { readonly threads?: number } = {},
): Promise<Writer> {
  const { decoder } = subject.model.wiring
  // Only the last token's logits are of interest.
  const asked: Subject = {
    ...subject,
    head: { ...subject.head, view: (network, hidden) => someTokens(network, hidden, network.stream.rowEnd) },
  }
  const assembled = (memory: (graph: Graph) => Memory) => assemble(asked, { method, training: false, trains: trainedIn(state), memory })
  const written: Kept[] = []
  const options = threads === undefined ? {} : { threads }
  const { network, logits } = assembled(writingMemory(written))
  output(network.graph, 'logits', logits)
  const session: Session = await openEngine(subject.model, network.graph, { ...options, prepack: true })
  const source = decoder ? await openEngine(subject.model, assembled(sourceMemory).network.graph, options) : null
  const fixed = Object.fromEntries([...state].filter(([name]) => network.graph.inputs.has(name)))
  const all = Object.fromEntries(state)
  const { rows: rowsOf, batch: batchOf, positions } = arrangement(subject, method)

  async function begin(examples: readonly Example[]): Promise<Writing> {
    const rows = rowsOf(examples)
    const caches = new Map<string, Cache>(
      written.flatMap(({ name, width }) => parts.map((part) => [keptName(name, part), openCache(width)] as const)),
    )
    // The graph that reads declares the inputs of the decoder, too, which stays out of it.
    const encoded = source ? batchOf(rows.map((row) => ({ ...row, decoder: row }))) : null
    const cross: Feeds = encoded ? await source!.run({ ...streamFeeds(encoded), ...all }) : {}

    /** Reads new tokens of each text. */
    async function read(texts: readonly Text[], news: readonly (readonly number[])[]): Promise<Writing> {
      const full = texts.map(({ ids }, i) => Int32Array.from([...ids, ...news[i]!]))
      const batch = packed(news, (i) => positions(full[i]!).slice(-news[i]!.length))
      const longest = Math.max(...texts.map(({ slots }) => slots.length))
      const columns = decoder ? 'decoder.columns' : 'columns'
      const results = await session.run({
        ...(encoded ? readFeeds(encoded, texts) : {}),
        ...(decoder ? decoderFeeds(batch) : streamFeeds(batch)),
        [columns]: { data: Int32Array.from({ length: batch.length }, (_, i) => longest + i), shape: [batch.length] },
        ...pastFeeds(texts, longest),
        ...Object.fromEntries(
          written.flatMap(({ name }) => parts.map((part) => [pastName(name, part), caches.get(keptName(name, part))!.tensor()])),
        ),
        ...cross,
        ...fixed,
      })
      let slot = [...caches.values()][0]!.slots
      for (const [name, cache] of caches) cache.append(results[name]!.data as Float32Array)
      const grown = texts.map(
        (text, i): Text => ({
          source: text.source,
          ids: [...full[i]!],
          slots: [...text.slots, ...news[i]!.map(() => slot++)],
        }),
      )
      const { data, shape } = results.logits!
      return {
        logits: data as Float32Array,
        vocabulary: shape[1]!,
        advance: (chosen, added) =>
          read(
            chosen.map((i) => grown[i]!),
            added.map((id) => [id]),
          ),
        turnTo(text, example) {
          const ids = tokensOf(rowsOf([example])[0]!)
          const { ids: known, slots, source } = grown[text]!
          const other = ids.findIndex((id, i) => id !== known[i])
          // The last token is read in any case, for what comes after it.
          const alike = other < 0 ? ids.length - 1 : other
          return read([{ ids: known.slice(0, alike), slots: slots.slice(0, alike), source }], [ids.slice(alike)])
        },
      }
    }
    const empty = rows.map((_, source): Text => ({ ids: [], slots: [], source }))
    return read(
      empty,
      rows.map((row) => (decoder ? [decoder.start] : tokensOf(row))),
    )
  }

  return {
    begin,
    async close() {
      await session.close()
      await source?.close()
    },
  }
}
