import { classification } from './classification.ts'
import type { Head } from './head.ts'
import { placesOf, seenAt } from './places.ts'

/** What stands for the classes: ids of words, and of the mask in whose place they are weighed. */
export interface Verbaliser {
  readonly words: readonly number[]
  readonly mask: number
}

/**
 * One class for each row by the words that the masked-LM head holds likely at the row's mask, among those of the classes alone (Gao et al.
 * 2021, eq. 1). Without a verbaliser every word is one, at the first token: to count weights.
 */
export function prompt(verbaliser: Verbaliser | null): Head {
  const inputs: Head['inputs'] = (examples, batch) =>
    placesOf(examples, batch, ({ ids }) => [verbaliser ? ids.indexOf(verbaliser.mask) : 0])
  return {
    ...classification,
    wiring: 'masked-lm',
    pretrained: true,
    ...(verbaliser && { words: verbaliser.words }),
    view: (network, hidden) => seenAt(network, hidden, 'rows'),
    inputs,
    targets(examples, batch, objective) {
      const { feeds, ...sums } = classification.targets(examples, batch, objective)
      return { feeds: { ...feeds, ...inputs(examples, batch) }, ...sums }
    },
  }
}
