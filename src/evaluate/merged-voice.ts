import { type Example, tokenCount } from '../data/examples.ts'
import { isMergeable, mergeState } from '../formats/index.ts'
import { untouched } from '../methods/in-place.ts'
import { type Deployed, type Method, parameterName } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'
import type { Adapted } from './adapted.ts'

/** Merging takes about as long as an adapter costs beside the products of so many tokens: it reads its weights and computes on the host. */
const FROM_TOKENS = 8192
/** Bytes of weights that are held for it at the most. */
const MOST_BYTES = 512e6

const acts = (method: Method, site: Site, state: Deployed['state']): boolean =>
  Object.keys(method.parameters(site)).some((role) => state.has(parameterName(site, role)))

/** Whether examples are so many that merging an adapter before they are answered is worth it. */
export const areMany = (examples: readonly Example[]): boolean =>
  examples.reduce((sum, example) => sum + tokenCount(example), 0) >= FROM_TOKENS

/** The model with its adapter in the weights; null where that is more than weights, or they are too large to be held. */
export function mergedIn({ open, method, state }: Pick<Adapted, 'open' | 'method' | 'state'>): Deployed | null {
  const { sites } = open.outline
  const { model } = open.subject
  if (!isMergeable(model, method, sites)) return null
  const bytes = sites.reduce((sum, site) => sum + (site.kind === 'linear' && acts(method, site, state) ? 4 * site.in * site.out : 0), 0)
  if (bytes === 0 || bytes > MOST_BYTES) return null
  return { method: untouched, state: mergeState(model, method, state, sites) }
}
