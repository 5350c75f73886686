import { activation } from '../nn/activation.ts'
import { linear } from '../nn/linear.ts'
import { someTokens } from '../nn/some-tokens.ts'
import type { HeadWiring } from './architecture.ts'

interface FirstTokenHead {
  readonly modules: readonly string[]
  readonly hidden: number
  readonly dense: string
  /** Whose the dense map is: the encoder's pooler or the head. */
  readonly role: 'pooler' | 'head'
  readonly activation: string
  /** Before the dense map; none by default. */
  readonly inwardDropout?: number | null
  readonly dropout: number
  readonly out: string
}

/** Logits for each row: a dense map of its first token, activation, dropout, and a map to the labels. */
export function firstTokenHead(description: FirstTokenHead): HeadWiring {
  const { modules, hidden, dense, role, inwardDropout = null, dropout, out } = description
  return {
    modules,
    logits(network, x, labels) {
      const first = network.dropout(someTokens(network, x, network.stream.rowStart), inwardDropout)
      const made = activation(description.activation)(linear(network, first, { name: dense, role, layer: null, in: hidden, out: hidden }))
      return linear(network, network.dropout(made, dropout), { name: out, role: 'head', layer: null, in: hidden, out: labels })
    },
  }
}

/** HF's head on the pooler of BERT and those that took it over. */
export const pooledHead = (dense: string, hidden: number, dropout: number): HeadWiring =>
  firstTokenHead({ modules: ['classifier'], hidden, dense, role: 'pooler', activation: 'tanh', dropout, out: 'classifier' })

/** HF's heads without a pooler (RoBERTa, ELECTRA), with dropout around the dense map. */
export const denseHead = (hidden: number, dropout: number, between: string): HeadWiring =>
  firstTokenHead({
    ...{ modules: ['classifier'], hidden, dense: 'classifier.dense', role: 'head', activation: between },
    ...{ inwardDropout: dropout, dropout, out: 'classifier.out_proj' },
  })
