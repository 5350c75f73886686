import type { Shape } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import type { Stream } from './stream.ts'

interface Place {
  /** HF module name with the architecture's prefix, e.g. `bert.encoder.layer.0.attention.self.query`. */
  readonly name: string
  /** Index of the transformer layer, or null outside of the layers (pooler, head). */
  readonly layer: number | null
}

/** What a linear map is for, the same word in every architecture. */
export type LinearRole = 'query' | 'key' | 'value' | 'attention-output' | 'up' | 'gate' | 'down' | 'projection' | 'pooler' | 'head'

/** How a checkpoint keeps a linear map that is not its own `<name>.weight` `[out, in]`. */
export interface Stored {
  /** The module whose `weight` and `bias` hold it. */
  readonly module: string
  /** Whether the weight is `[in, out]`. */
  readonly transposed: boolean
  /** Which of so many equal parts of that module's outputs it is. */
  readonly part: number
  readonly parts: number
}

/** A linear map `y = x Wᵀ + b` with W `[out, in]`. */
export interface LinearSite extends Place {
  readonly kind: 'linear'
  readonly role: LinearRole
  readonly in: number
  readonly out: number
  readonly bias: boolean
  /** The linear site whose outputs hold this one's, where one product makes several maps; a method acts at one of the two. */
  readonly within?: string
  /** Left out where the checkpoint has `<name>.weight` `[out, in]`. */
  readonly stored?: Stored
}

/**
 * A residual sub-layer `norm(x + dropout(h))`: `raw` is h, `dropped` is dropout(h). Pre-norm models have no norm there: it is the identity.
 * A raw site has the name of the linear map that makes h, a dropped one that of the module that ends the sub-layer.
 */
export interface BranchSite extends Place {
  readonly kind: 'branch'
  /** The module that owns the sub-layer's end; adapter-hub keeps adapters under this name. */
  readonly module: string
  readonly role: 'attention' | 'cross-attention' | 'feed-forward'
  readonly stage: 'raw' | 'dropped'
  readonly hidden: number
}

/** Keys and values of one attention, `[rows, heads, length, headSize]`. */
export interface KeyValueSite extends Place {
  readonly kind: 'keyValue'
  /** Whether the keys are of the queries' own stream: of an encoder or a decoder; or an encoder's, read by a decoder. */
  readonly reads: 'encoder' | 'decoder' | 'cross'
  readonly heads: number
  /** How many heads of queries share each of them. */
  readonly sharing: number
  readonly headSize: number
}

/** The word embeddings, `[tokens, hidden]`, before types and positions are added; or, `whole`, what all embeddings make, after norm and dropout. */
export interface EmbeddingSite extends Place {
  readonly kind: 'embedding'
  readonly hidden: number
  readonly whole?: true
}

/** A layer norm with a bias. */
export interface NormSite extends Place {
  readonly kind: 'norm'
  readonly size: number
}

/** The model as a whole: the place of parameters that several sites share. Opened first. */
export interface ModelSite extends Place {
  readonly kind: 'model'
}

export const modelSite: ModelSite = { kind: 'model', name: 'shared', layer: null }

/** A named place in a model where a method may act. */
export type Site = LinearSite | BranchSite | KeyValueSite | EmbeddingSite | NormSite | ModelSite

/** Numbers of mean 0: normal with deviation 1, or uniform between -1 and 1. */
export type Noise = 'normal' | 'uniform'

/** What surrounds a call. */
export interface CallContext {
  readonly training: boolean
  readonly stream: Stream
  /** Numbers of that shape, fresh in each micro-batch and chunk; in training alone. */
  readonly noise: (kind: Noise, shape: Shape) => Value
  /** Adds a scalar to the loss, its mean over the micro-batches of an update, which then have no chunks; of no effect outside of training. */
  readonly addLoss: (term: Value) => void
  /** Tells the method's `control` and `events` of a small value, in the last micro-batch of an update; of no effect outside of training. */
  readonly report: (signal: string, value: Value) => void
}

/** What every call offers. */
export interface AnyCall {
  /** Dropout with probability `p`; the identity outside of training. Each call has a mask of its own. */
  readonly dropout: (x: Value, p: number) => Value
  /** What the method's `feed` gives, by name. */
  readonly controls: Readonly<Record<string, Value>>
  /** What the method made at the model's site, by name. */
  readonly shared: Readonly<Record<string, Value>>
  readonly context: CallContext
}

export interface LinearCall extends AnyCall {
  /** `[tokens, in]` */
  readonly input: Value
  readonly weight: Value
  readonly bias: Value | null
  /** The base model's `x Wᵀ + b`, computed once for `input`, whoever asks; or with another bias. */
  readonly base: (x: Value, bias?: Value) => Value
}

export interface BranchCall extends AnyCall {
  /** The branch at this stage, `[tokens, hidden]`. */
  readonly value: Value
  /** The sub-layer's input x, `[tokens, hidden]`. */
  readonly residual: Value
  /** The norm that ends the sub-layer; the identity in pre-norm models. */
  readonly norm: (x: Value) => Value
}

export interface KeyValues {
  readonly key: Value
  readonly value: Value
  /** Added to the scores, `[rows, 1, 1, length]`. */
  readonly mask: Value
  /** Where the keys stand in their rows, `[length]` integers; what is put before a row has negative places. */
  readonly columns: Value
}
export interface KeyValueCall extends AnyCall, KeyValues {}

export interface EmbeddingCall extends AnyCall {
  /** `[tokens]`; `-1 - k` stands for the virtual token k, and its `value` is then of no use. */
  readonly ids: Value
  readonly value: Value
}

export interface NormCall extends AnyCall {
  /** `[tokens, size]` */
  readonly input: Value
  readonly weight: Value
  readonly bias: Value
  /** The base model's norm, or the same with another bias. */
  readonly base: (x: Value, bias?: Value) => Value
}
