import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import type { Network } from './network.ts'
import type { BranchSite } from './site.ts'

export interface ResidualDescription extends Omit<BranchSite, 'kind' | 'stage' | 'hidden' | 'name'> {
  /** The linear map that makes h. */
  readonly dense: string
  readonly dropout: number | null
  /** Of post-norm sub-layers; by default there is none. */
  readonly norm?: (x: Value) => Value
}

/** The end of a sub-layer, `norm(x + dropout(h))`, or `x + dropout(h)` of a pre-norm one; opens a branch site before and after the dropout. */
export function residual(
  network: Network,
  x: Value,
  h: Value,
  { dense, dropout, norm = (sum) => sum, ...place }: ResidualDescription,
): Value {
  const hidden = h.shape[1] as number
  const at = (stage: BranchSite['stage'], value: Value): Value =>
    network.branch({ kind: 'branch', stage, hidden, name: stage === 'raw' ? dense : place.module, ...place }, { value, residual: x, norm })
  const branch = at('dropped', network.dropout(at('raw', h), dropout))
  return norm(add(branch, x))
}
