import { constant } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { gather } from '../graph/ops/movement.ts'
import { layerNorm } from '../graph/ops/normalize.ts'
import { activation } from '../nn/activation.ts'
import { linear } from '../nn/linear.ts'
import type { HeadWiring } from './architecture.ts'

interface MaskedLmDescription {
  readonly modules: readonly string[]
  /** The module of the map from `hidden` to `size`, the embedding's width. */
  readonly dense: string
  readonly norm: string
  readonly activation: string
  /** Whether dense map and norm have biases; by default they do. */
  readonly denseBias?: boolean
  readonly normBias?: boolean
  /** The tensor of the words' biases, `[vocabulary]`; null where there is none. */
  readonly bias: string | null
  /** The module whose weight `[vocabulary, size]` gives the words' logits: the word embeddings, where they are tied to it. */
  readonly decoder: string
  readonly hidden: number
  readonly size: number
  readonly vocabulary: number
  readonly epsilon: number
}

/** A logit for each word of the vocabulary: dense, activation, norm, and a product with the word embeddings (Devlin et al. 2019). */
export function maskedLmHead(description: MaskedLmDescription): HeadWiring {
  const { modules, dense, denseBias = true, normBias = true, hidden, size, vocabulary, epsilon } = description
  return {
    modules,
    logits(network, x, _labels, words) {
      const made = linear(network, x, { name: dense, role: 'head', layer: null, in: hidden, out: size, bias: denseBias })
      const scale = network.parameter(`${description.norm}.weight`, [size], null, 1)
      const shift = normBias ? network.parameter(`${description.norm}.bias`, [size], null) : null
      // A norm of a head is no place for methods, as its linear maps are none.
      const normed = layerNorm(activation(description.activation)(made), scale, shift, epsilon)
      const tables = [
        network.parameter(`${description.decoder}.weight`, [vocabulary, size], null),
        ...(description.bias === null ? [] : [network.parameter(description.bias, [vocabulary], null)]),
      ]
      const chosen = words && constant(network.graph, words, [words.length], 'int32')
      const [weight, bias] = chosen ? tables.map((table) => gather(table, chosen)) : tables
      return gemm(normed, weight!, bias ?? null, { transposeB: true })
    },
  }
}
