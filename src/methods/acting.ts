import type { Value } from '../graph/graph.ts'
import type { Control, FedControl, Method, MethodEvent, Moment, ParameterSpec } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'

/** How the experts of a mixture act at the sites: what a routing makes of them. */
export interface Acting extends Pick<Method, 'linear' | 'branch' | 'keyValue' | 'embedding' | 'norm' | 'model'> {
  /** What the routing itself trains at a site. */
  parameters(site: Site): Readonly<Record<string, ParameterSpec>>
  readonly controls: readonly Control[]
  feed(moment: Moment): Readonly<Record<string, FedControl>>
  /** What there is to tell of an update. */
  events(step: number, signals: ReadonlyMap<string, Readonly<Record<string, Float32Array>>>): readonly MethodEvent[]
}

type Shared = Readonly<Record<string, Value>>

const partName = (part: number, name: string): string => `${part} ${name}`

/** As one record what the model's site made for each of several parts: passes, or experts. */
export const joinShared = (parts: readonly Shared[]): Record<string, Value> =>
  Object.fromEntries(parts.flatMap((made, part) => Object.entries(made).map(([name, value]) => [partName(part, name), value])))

/** What is one part's of such a record. */
export function sharedOf(shared: Shared, part: number): Record<string, Value> {
  const start = partName(part, '')
  return Object.fromEntries(
    Object.entries(shared).flatMap(([name, value]) => (name.startsWith(start) ? [[name.slice(start.length), value]] : [])),
  )
}
