import type { Site } from '../nn/site.ts'

/** AdaMix's reference draws one expert for the query and value maps of an attention: projections of one attention share a draw. */
export function attentionCoupling(site: Site): string {
  const projects = site.kind === 'linear' && ['query', 'key', 'value'].includes(site.role)
  return projects ? site.name.slice(0, site.name.lastIndexOf('.')) : site.name
}
