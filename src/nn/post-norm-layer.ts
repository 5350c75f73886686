import type { Value } from '../graph/graph.ts'
import { activation } from './activation.ts'
import { type AttentionDescription, attention } from './attention.ts'
import { linear } from './linear.ts'
import type { Network } from './network.ts'
import { norm } from './norm.ts'
import { residual } from './residual.ts'

/** The end of a half of a layer, by its names in a checkpoint. */
interface Ending {
  /** The linear map that makes what is added to the half's input. */
  readonly dense: string
  readonly norm: string
  /** See `BranchSite`. */
  readonly module: string
  readonly dropout: number | null
}

interface Widths {
  readonly layer: number
  readonly hidden: number
}

export interface LayerEnd extends Widths {
  readonly inner: number
  readonly activation: string
  readonly epsilon: number
  readonly attended: Ending
  readonly up: string
  readonly fed: Ending
}

export interface SelfAttention extends Omit<AttentionDescription, 'layer'> {
  readonly query: string
  readonly key: string
  readonly value: string
}

/** What a post-norm layer makes of its input x and of what its attention read, `[tokens, hidden]` both: the rest of the layer. */
export function postNormEnd(
  network: Network,
  x: Value,
  context: Value,
  { layer, hidden, inner, up, attended, fed, ...rest }: LayerEnd,
): Value {
  const ending = ({ norm: name, ...place }: Ending) => ({
    ...place,
    layer,
    norm: (sum: Value): Value => norm(network, sum, { name, layer, size: hidden, epsilon: rest.epsilon }),
  })
  const mixed = linear(network, context, { name: attended.dense, role: 'attention-output', layer, in: hidden, out: hidden })
  const middle = residual(network, x, mixed, { role: 'attention', ...ending(attended) })
  const wide = linear(network, middle, { name: up, role: 'up', layer, in: hidden, out: inner })
  const down = linear(network, activation(rest.activation)(wide), { name: fed.dense, role: 'down', layer, in: inner, out: hidden })
  return residual(network, middle, down, { role: 'feed-forward', ...ending(fed) })
}

/** A post-norm layer of an encoder (Vaswani et al. 2017) on `[tokens, hidden]`. */
export function postNormLayer(network: Network, x: Value, { self, ...end }: LayerEnd & { readonly self: SelfAttention }): Value {
  const { layer, hidden } = end
  const square = { layer, in: hidden, out: hidden }
  const { query, key, value, ...place } = self
  const context = attention(
    network,
    linear(network, x, { name: query, role: 'query', ...square }),
    linear(network, x, { name: key, role: 'key', ...square }),
    linear(network, x, { name: value, role: 'value', ...square }),
    { layer, ...place },
  )
  return postNormEnd(network, x, context, end)
}
