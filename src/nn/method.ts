import type { Shape } from '../graph/dim.ts'
import type { Dtype, Value } from '../graph/graph.ts'
import type { Key } from '../random/key.ts'
import type { Consistency } from './consistency.ts'
import type {
  AnyCall,
  BranchCall,
  BranchSite,
  EmbeddingCall,
  EmbeddingSite,
  KeyValueCall,
  KeyValueSite,
  KeyValues,
  LinearCall,
  LinearSite,
  ModelSite,
  NormCall,
  NormSite,
  Site,
} from './site.ts'
import type { Tensor } from './tensor.ts'

export type { Tensor }

/** A tensor that a method adds at a site. */
export interface ParameterSpec {
  readonly shape: readonly number[]
  /** The shape that the method gave it, where a mixture has stacked some; its own by default. */
  readonly single?: readonly number[]
  /** Initial values, a pure function of the key. */
  readonly init: (key: Key) => Float32Array
  /** A constant: part of the state and of every checkpoint, never updated, and not counted as a weight. */
  readonly frozen?: boolean
  /** Its learning rate in multiples of the run's; 1 by default. */
  readonly rate?: number
  /** Names of what is kept of each of its elements, all zero at the start (`Method.statistics`); nothing by default. */
  readonly statistics?: readonly string[]
}

/** An increment `scale · B A` as its factors: A `[r, in]`, B `[out, r]`; of a method that has singular values, these too. */
export interface Factors {
  readonly a: Tensor
  readonly b: Tensor
  readonly scale: number
  readonly singular?: Float32Array
}

/** A tensor of the base model or of its head. */
export interface BaseParameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly layer: number | null
  /** What the numbers of a vector begin with where the checkpoint lacks it; matrices are drawn. */
  readonly start: number
}

/** The values of a site's parameters by role, in one lane of the graph. */
export type Roles = Readonly<Record<string, Value>>

/** A small tensor that the host feeds at each call. */
export interface Control {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: Shape
}
export interface FedControl {
  readonly data: Float32Array | Uint8Array
  readonly shape: readonly number[]
}

/** Where training stands; `step` counts updates from 0. */
export interface Moment {
  readonly seed: number
  readonly step: number
  readonly microBatch: number
  /** Rows of the micro-batch or its chunk, those of all passes. */
  readonly rows: number
}

/** Statistics of elements by name, each of the shape of what they are kept of. */
export type Statistics = Readonly<Record<string, Value>>

/** A learned tensor after an update. */
export interface Updated {
  readonly parameter: Value
  /** The clipped gradient that it was updated by. */
  readonly gradient: Value
  /** Before the update. */
  readonly statistics: Statistics
  readonly controls: Readonly<Record<string, Value>>
}

/** A site after an update. */
export interface Observed {
  readonly roles: Roles
  /** By role. */
  readonly statistics: Readonly<Record<string, Statistics>>
  readonly controls: Readonly<Record<string, Value>>
}

/** What a method puts before the tokens of each row. */
export interface Sequence {
  readonly virtualTokens: number
  readonly positionShift: number
}

/** One choice of a route: sites that are drawn together, and the group of roles whose experts are chosen from. */
export interface Choice {
  readonly group: string
  readonly role: string
}

/** What a mixture is made of. */
export interface Experts {
  /** The experts that every choice is made from. */
  readonly count: number
  /** The ordinary method and state that one route makes: `choose` names an expert for each choice that it is asked. */
  route(state: ReadonlyMap<string, Tensor>, choose: (choice: Choice) => number): Deployed
}

/** Rows of a parameter that survive a change of shape. */
export interface Kept {
  readonly parameter: string
  readonly axis: number
  readonly indices: readonly number[]
}

/** What a method tells the run record of an update. */
export interface MethodEvent {
  readonly event: 'ranks' | 'routes'
  readonly [field: string]: unknown
}

/** The numbers of a linear map: its weight, `[out, in]`, and its bias, `[out]`. */
export interface LinearWeights {
  readonly weight: Float32Array
  readonly bias: Float32Array | null
}

/** A site's parameters on the host. */
type Tensors = Readonly<Record<string, Tensor>>

export interface Decision {
  /** What the method remembers from now on; part of every checkpoint, plain JSON. */
  readonly memory?: unknown
  /** For the run record. */
  readonly event?: MethodEvent
  /** Parameters change shape: the graph is built anew with the new memory. */
  readonly reshape?: readonly Kept[]
}

/**
 * A PEFT method on one model. The trainer, the formats and the mixture know methods only through this.
 * The function named after a kind of site receives a site's parameters and the call, and returns what takes the place of its result.
 */
export interface Method {
  readonly name: string
  /** Forward passes of a batch in one step; 1 but for mixtures. */
  readonly passes: number
  /** How two passes make one loss; null with one pass. */
  readonly consistency: Consistency | null
  /** Whether tensors whose gradient is exactly zero in a slice along axis 0 leave that slice alone (lazy Adam). */
  readonly lazy: boolean
  /** The parameters at a site by role; empty where the method does not act. */
  parameters(site: Site): Readonly<Record<string, ParameterSpec>>
  linear?(site: LinearSite, roles: Roles, call: LinearCall): Value
  branch?(site: BranchSite, roles: Roles, call: BranchCall): Value
  keyValue?(site: KeyValueSite, roles: Roles, call: KeyValueCall): KeyValues
  embedding?(site: EmbeddingSite, roles: Roles, call: EmbeddingCall): Value
  norm?(site: NormSite, roles: Roles, call: NormCall): Value
  /** Makes of the parameters that several sites share what their calls find as `shared`; these are then made at every site of their kind. */
  model?(site: ModelSite, roles: Roles, call: AnyCall): Readonly<Record<string, Value>>
  /** Virtual tokens before each row, and how far positions move for what precedes it. */
  readonly sequence?: Sequence
  /** Groups of roles (`up` of `up.weight` and `up.bias`) that a mixture shares between its experts where it is not told; none by default. */
  readonly shared?: readonly string[]
  /** Whether a tensor of the base model is trained in place. The head is trained in any case. */
  trains(parameter: BaseParameter): boolean
  /** The dense increment to a linear site's weight, `[out, in]`, computed on the host; for methods that can be merged by it alone. */
  increment?(site: LinearSite, roles: Tensors): Float32Array
  /** The factors of that increment, for methods that have it as a product. */
  factors?(site: LinearSite, roles: Tensors): Factors
  /** The linear map that stands for a linear site's under the method, computed on the host; `shared` are the parameters of the model's site. */
  fold?(site: LinearSite, roles: Tensors, base: LinearWeights, shared: Tensors): LinearWeights
  /** Sites with the same answer share a mixture's draw. */
  coupling?(site: Site): string
  /** A term of the loss over all parameters, counted once a step. */
  penalty?(sites: readonly { readonly site: Site; readonly roles: Roles }[]): Value | null
  readonly controls?: readonly Control[]
  feed?(moment: Moment): Readonly<Record<string, FedControl>>
  /** The new statistics that a tensor's spec names, each element's of its own numbers alone: tensors may come end to end. */
  statistics?(updated: Updated): Statistics
  /** Signals for the host, in the graph and after the update. */
  observe?(site: Site, observed: Observed): Readonly<Record<string, Value>>
  /** Reads the signals of an update, what it observed and what calls reported, and may write to the state; `memory` is what the last decision left, or null. `signals` are by site, then by name. */
  control?(
    step: number,
    signals: ReadonlyMap<string, Readonly<Record<string, Float32Array>>>,
    state: ReadonlyMap<string, Tensor>,
    memory: unknown,
  ): Decision | null
  /** What the run record is told of an update besides decisions. */
  events?(step: number, signals: ReadonlyMap<string, Readonly<Record<string, Float32Array>>>): readonly MethodEvent[]
  /** Whether evaluations after `step` updates may become the best one. */
  settled?(step: number): boolean
  /** The share of the trained weights that is left at the end of training; 1 by default. */
  readonly remains?: number
  /** The ordinary method and state that stand for this one outside of training. */
  deploy?(state: ReadonlyMap<string, Tensor>): Deployed
  /** For mixtures. */
  readonly experts?: Experts
}

/** What holds of every method but mixtures. */
export const unmixed = { passes: 1, consistency: null, lazy: false } as const

/** The group of a role, what stands before its first dot: tensors that belong together, as a weight and its bias. */
export const groupOf = (role: string): string => role.split('.')[0]!

/** The state's name of a method parameter. */
export function parameterName(site: Site, role: string): string {
  return `${site.name}.${role}`
}

/** How a method goes into a linear map's own numbers: as it says, or by its increment; null where it cannot. */
export function foldOf(method: Method): Required<Method>['fold'] | null {
  if (method.fold) return (...given) => method.fold!(...given)
  if (!method.increment) return null
  return (site, roles, { weight, bias }) => {
    const increment = method.increment!(site, roles)
    return { weight: weight.map((value, i) => value + increment[i]!), bias }
  }
}

/** The parameters at a site that are learned. */
export const learnedAt = (method: Pick<Method, 'parameters'>, site: Site): ParameterSpec[] =>
  Object.values(method.parameters(site)).filter(({ frozen }) => !frozen)

/** A method with the state it has. */
export interface Deployed {
  readonly method: Method
  readonly state: ReadonlyMap<string, Tensor>
}

/** What stands for a method and its state outside of training: themselves, where the method names no other. */
export const deployed = (method: Method, state: ReadonlyMap<string, Tensor>): Deployed => method.deploy?.(state) ?? { method, state }
