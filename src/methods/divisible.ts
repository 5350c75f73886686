import type { Components } from '../allocation/components.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'

/** The state of a module's factors by role; of a module without rank it has none. */
export type FactorState = Readonly<Record<string, Tensor>>

/** A method whose increments are sums of components, before any budget. */
export interface Divisible {
  readonly modules: readonly LinearSite[]
  readonly components: Components
  /** Components of a module at the start; `named` is the option that sets them. */
  readonly initial: { readonly named: string; readonly rankOf: (name: string) => number }
  /** The method where modules have these ranks; it does not act at a module of rank 0. */
  readonly method: (rankOf: (name: string) => number) => Method
  /** Whether the tensors are cut to the kept components at the last allocation. */
  readonly shrink: boolean
  /** What events tell besides ranks. */
  readonly report?: (modules: readonly FactorState[]) => Readonly<Record<string, unknown>>
}

/** The state of one module's factors. */
export const factorsOf = (state: ReadonlyMap<string, Tensor>, { axes }: Components, site: LinearSite): FactorState =>
  Object.fromEntries(
    Object.keys(axes).flatMap((role) => {
      const tensor = state.get(parameterName(site, role))
      return tensor ? [[role, tensor]] : []
    }),
  )
