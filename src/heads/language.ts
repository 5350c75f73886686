import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
import { input, type Value } from '../graph/graph.ts'
import { type Rearrangement, rearrange, reshape } from '../graph/ops/movement.ts'
import type { Network } from '../nn/network.ts'
import { labelLoss, labelTargets } from './classification.ts'
import type { Head, Objective, Targets } from './head.ts'

/** The tokens that have a target, among the `tokens` of a stream: the inputs of `chosenFeeds`. */
function chosenTokens({ graph }: Network, tokens: Value['shape'][number]): Rearrangement {
  return {
    index: input(graph, 'chosen', 'int32', ['targets']),
    inverse: input(graph, 'chosen.inverse', 'int32', [tokens]),
    read: reshape(input(graph, 'chosen.read', graph.float, [tokens]), [tokens, 1]),
  }
}

/** Feeds of the tokens `chosen` in one pass, for each of `passes` passes of `tokens` tokens in all. */
function chosenFeeds(chosen: readonly number[], tokens: number, passes: number): Targets['feeds'] {
  const index = Int32Array.from({ length: passes * chosen.length }, (_, i) => {
    const pass = Math.floor(i / chosen.length)
    return chosen[i % chosen.length]! + (pass * tokens) / passes
  })
  const [inverse, read] = [new Int32Array(tokens), new Float32Array(tokens)]
  index.forEach((token, target) => {
    inverse[token] = target
    read[token] = 1
  })
  return {
    chosen: { data: index, shape: [index.length] },
    'chosen.inverse': { data: inverse, shape: [tokens] },
    'chosen.read': { data: read, shape: [tokens] },
  }
}

/** A vocabulary's cross-entropy at the tokens that have a target; logits are made for these alone. */
function languageHead(
  wiring: Head['wiring'],
  streamOf: (batch: Batch) => Batch,
  /** For each token of a row the one to predict there; negative for none. */
  targetsOf: (labels: readonly number[]) => readonly number[],
): Head {
  return {
    wiring,
    outputs: (labels) => labels,
    chosen: (network, hidden) => rearrange(hidden, chosenTokens(network, hidden.shape[0]!)),
    loss: (_network, logits, objective) => labelLoss(logits, 'targets', objective),
    targets(examples: readonly Example[], batch: Batch, objective: Objective): Targets {
      const all = examples.flatMap(({ label }) => targetsOf(label as readonly number[]))
      const found = all.flatMap((target, token) => (target < 0 ? [] : [token]))
      // The graph has no empty tensors: where there is no target, the first token's does not count.
      const chosen = found.length > 0 ? found : [0]
      const targets = labelTargets(
        chosen.map((token) => all[token]!),
        objective,
      )
      return {
        ...targets,
        feeds: { ...targets.feeds, ...chosenFeeds(chosen, streamOf(batch).tokens, objective.passes) },
        sizes: { targets: chosen.length * objective.passes },
      }
    },
  }
}

/** The next token of each row; a label for each token, of which that of the next one counts. */
export const causal: Head = languageHead(
  'causal-lm',
  (batch) => batch,
  (labels) => labels.map((_, i) => labels[i + 1] ?? -100),
)

/** The tokens of a second text, written after the first has been read; a label for each token of the decoder. */
export const sequenceToSequence: Head = languageHead(
  'seq2seq-lm',
  (batch) => batch.decoder!,
  (labels) => labels,
)
