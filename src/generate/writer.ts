import type { Example } from '../data/examples.ts'
import { type Batch, maskedKey, pack } from '../data/pack.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { assemble, type Subject } from '../evaluate/assembly.ts'
import { openEngine } from '../evaluate/engine.ts'
import { trainedIn } from '../evaluate/state.ts'
import { decoderFeeds, streamFeeds } from '../evaluate/stream-feeds.ts'
import { type Graph, output } from '../graph/graph.ts'
import { gather } from '../graph/ops/movement.ts'
import type { Memory } from '../nn/memory.ts'
import type { Method, Tensor } from '../nn/method.ts'
import type { Feeds, Session } from '../runtime/session.ts'
import { type Cache, openCache } from './cache.ts'
import { type Kept, keptName, parts, pastName, sourceMemory, writingMemory } from './memory.ts'

/** Texts that are being written, each from a place of its own. */
export interface Writing {
  /** Logits of the next token of each text, `[texts, vocabulary]`. */
  readonly logits: Float32Array
  readonly vocabulary: number
  /** Goes on with these texts, by their number, once or more often or not at all, and a token more each. */
  advance(texts: readonly number[], tokens: readonly number[]): Promise<Writing>
}

/** A model that writes. */
export interface Writer {
  /** Begins a text after each example: after its own tokens, or for a model with a decoder after the token that begins one. */
  begin(examples: readonly Example[]): Promise<Writing>
  close(): Promise<void>
}

/** The rows of a batch again, in this order; its tokens stay as they are. */
function chosenRows(batch: Batch, rows: readonly number[]): Batch {
  const { length } = batch
  const table = <A extends Int32Array | Float32Array>(from: A, width: number): A => {
    const made = new (from.constructor as new (size: number) => A)(rows.length * width)
    rows.forEach((row, i) => {
      made.set(from.subarray(row * width, (row + 1) * width), i * width)
    })
    return made
  }
  return {
    ...batch,
    rows: rows.length,
    rowStart: table(batch.rowStart, 1),
    rowEnd: table(batch.rowEnd, 1),
    unpack: table(batch.unpack, length),
    keyMask: table(batch.keyMask, length),
    slotMask: table(batch.slotMask, length),
  }
}

/** A text so far: its ids, and the cache's slots of its tokens. */
interface Text {
  readonly ids: readonly number[]
  readonly slots: readonly number[]
  /** The row of the text that it answers. */
  readonly source: number
}

/** New tokens of each row, with the positions that they have. */
function packed(news: readonly (readonly number[])[], positionsOf: (row: number) => Int32Array): Batch {
  let row = 0
  return pack(
    news.map((ids) => ({
      ids: Int32Array.from(ids),
      types: new Int32Array(ids.length),
      mask: new Uint8Array(ids.length).fill(1),
      label: null,
      file: '',
      line: 0,
    })),
    () => positionsOf(row++),
  )
}

/** Feeds of the texts that are answered, one for each text that is written. */
function readFeeds({ decoder: _written, ...read }: Batch, texts: readonly Text[]): Feeds {
  const rows = texts.map(({ source }) => source)
  return streamFeeds(chosenRows(read, rows))
}

/** Feeds of each row's past, the last token in the last column; slot 0, masked, where a row has none. */
function pastFeeds(texts: readonly Text[], past: number): Feeds {
  const index = new Int32Array(texts.length * past)
  const mask = new Float32Array(index.length)
  texts.forEach(({ slots }, row) => {
    const [end, start] = [(row + 1) * past, (row + 1) * past - slots.length]
    index.set(slots, start)
    mask.fill(maskedKey, end - past, start)
  })
  return {
    past: { data: index, shape: [texts.length, past] },
    'past.mask': { data: mask, shape: [texts.length, past] },
    'past.columns': { data: Int32Array.from({ length: past }, (_, i) => i), shape: [past] },
  }
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
    head: { ...subject.head, view: (network, hidden) => gather(hidden, network.stream.rowEnd) },
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
      const past = Math.max(1, ...texts.map(({ slots }) => slots.length))
      const columns = decoder ? 'decoder.columns' : 'columns'
      const results = await session.run({
        ...(encoded ? readFeeds(encoded, texts) : {}),
        ...(decoder ? decoderFeeds(batch) : streamFeeds(batch)),
        [columns]: { data: Int32Array.from({ length: batch.length }, (_, i) => past + i), shape: [batch.length] },
        ...pastFeeds(texts, past),
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
      }
    }
    const empty = rows.map((_, source): Text => ({ ids: [], slots: [], source }))
    return read(
      empty,
      rows.map(({ ids, mask }) => (decoder ? [decoder.start] : [...ids].filter((_, i) => mask[i] === 1))),
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
