import type { Graph } from '../graph/graph.ts'
import type { BranchSite } from './site.ts'

/** Nodes `start` to `end` (exclusive) of a graph. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/** Where the layers of a network lie among its nodes, as far as what it is built with tells. */
export interface LayerSegments {
  /** A tensor of the base model is asked for; `known` where it was before. */
  parameter(name: string, layer: number | null, known: boolean): void
  branch(site: Pick<BranchSite, 'role'>): void
  /** The layers so far, in order. */
  all(): readonly Stretch[]
}

/**
 * A layer begins where one of its tensors is asked for, and goes on at least until its feed-forward half, which ends every layer, has come:
 * tables that layers share are asked for in their midst. Layers of the same tensors, as ALBERT's, begin with the same one.
 */
export function layerSegments(graph: Graph): LayerSegments {
  const closed: Stretch[] = []
  let open: { first: string; layer: number; start: number; fed: boolean } | null = null
  const close = (): void => {
    if (open) closed.push({ start: open.start, end: graph.nodes.length })
    open = null
  }
  return {
    parameter(name, layer, known) {
      if (open?.fed && (name === open.first || (!known && layer !== open.layer))) close()
      if (!open && layer !== null) open = { first: name, layer, start: graph.nodes.length, fed: false }
    },
    branch({ role }) {
      if (open && role === 'feed-forward') open.fed = true
    },
    all: () => (open ? [...closed, { start: open.start, end: graph.nodes.length }] : [...closed]),
  }
}
