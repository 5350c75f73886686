import type { DecoderStart } from '../data/teacher-forced.ts'
import type { Value } from '../graph/graph.ts'
import type { HeadKind } from '../nn/head-kind.ts'
import type { Network } from '../nn/network.ts'

/** A head: logits from the encoder's output, and the modules that belong to it alone. */
export interface HeadWiring {
  /**
   * Logits `[rows, labels]`, or one row for each of `hidden`, `[n, hidden]`, for heads that answer for each token. Heads over the vocabulary
   * answer for the `words` given, ids `[labels]`, or for all.
   */
  readonly logits: (network: Network, hidden: Value, labels: number, words?: readonly number[]) => Value
  /** Module names that PEFT saves and trains as part of the head: those that end with one of these. */
  readonly modules: readonly string[]
}

/** One model, wired for one configuration. */
export interface Wiring {
  /** The encoder's name in HF's models with a head, e.g. `bert`; checkpoints may lack it. */
  readonly prefix: string
  readonly layers: number
  readonly hidden: number
  readonly vocabularySize: number
  /** Token types (segments); undefined where the model has none. */
  readonly typeVocabularySize?: number
  /** The most tokens a row may have. */
  readonly maxPositions: number
  readonly initializerRange: number
  /** Tensors of checkpoints that are read by nothing here; they must be zero. */
  readonly zeros?: readonly string[]
  /** Of models that write a second text. */
  readonly decoder?: DecoderStart
  /** Position ids of one row. */
  readonly positions: (ids: Int32Array) => Int32Array
  /** The last hidden states, `[tokens, hidden]`; of the stream `decoder` where there is one. */
  readonly encode: (network: Network) => Value
  readonly heads: Readonly<Partial<Record<HeadKind, HeadWiring>>>
}

/** An architecture: HF's `model_type`, and how its `config.json` becomes a wiring. */
export interface Architecture {
  readonly modelType: string
  readonly wire: (config: unknown) => Wiring
}

/** Positions 0, 1, 2, ... */
export function countingPositions(ids: Int32Array): Int32Array {
  return ids.map((_, i) => i)
}
