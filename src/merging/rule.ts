import type { Adapted } from '../evaluate/adapted.ts'
import type { Adapter } from '../formats/index.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Tensor } from '../nn/method.ts'

/** A saved adapter that takes part in a combination. */
export interface Member extends Adapted {
  readonly adapter: Adapter
  /** Where it was saved, for errors. */
  readonly folder: string
  readonly weight: number
}

/** What the members' weight in one tensor is: one number, or one for each element. */
export type Share = number | Float32Array

/** What a rule makes of its members; `combination.ts` adds the tensors that members train whole. */
export interface Blend {
  readonly options: MethodOptions
  readonly memory: unknown
  /** The method's own parameters. */
  readonly added: ReadonlyMap<string, Tensor>
  /** The members' shares, in their order, in the mean of a tensor of the base model or head. */
  readonly shares: (name: string) => readonly Share[]
  /** What the rule has decided, for the report. */
  readonly told?: Readonly<Record<string, unknown>>
}

/** What a rule may be told; one that it does not use may not be given. */
export interface Settings {
  readonly weights: readonly number[] | null
  /** The rank that a decomposition keeps; null: the members' largest. */
  readonly rank: number | null
  readonly density: number
  readonly sign: 'total' | 'frequency'
  readonly seed: number
}

/** What rules may ask about the data that the combination was given. */
export interface Evidence {
  /** How well a blend does, higher being better. */
  readonly score: (blend: Blend) => Promise<number>
  /** The diagonal of a member's Fisher information, by tensor. */
  readonly fisher: (member: Member) => Promise<ReadonlyMap<string, Float32Array>>
}

/** A way to make one adapter of several. */
export interface Rule {
  /** One sentence for help texts. */
  readonly summary: string
  readonly uses: readonly (keyof Settings | 'data' | 'metric')[]
  readonly blend: (members: readonly Member[], settings: Settings, evidence: Evidence) => Blend | Promise<Blend>
}
