import type { Reading } from '../data/reading.ts'
import type { TaskName } from '../heads/index.ts'
import { definitionOf, type MethodName, type MethodOptions } from '../methods/index.ts'
import type { Model } from '../models/open.ts'
import { settingOf } from '../models/setting.ts'
import { type Method, parameterName, type Tensor } from '../nn/method.ts'
import type { Outline } from '../nn/outline.ts'

/** What is known of an adapter besides its method and tensors; null where a folder from elsewhere does not tell. */
export interface Card {
  readonly task: TaskName | null
  /** The label names in order; null where they are not known. */
  readonly labels: readonly string[] | null
  /** Outputs of the head; null where the folder holds no head. */
  readonly outputs: number | null
  /** The hub's name of the base model. */
  readonly baseModel: string | null
  /** The name that adapter-hub's tensors carry. */
  readonly adapterName: string | null
  /** Updates of the run that made the adapter; AdaLoRA's schedule is written out with it. */
  readonly totalSteps: number | null
  /** How the rows were read that it was trained on, for whoever asks it; absent where a folder from elsewhere does not tell. */
  readonly reading?: Reading | undefined
  /** How rows are put to a masked language model, where they are. */
  readonly prompt?: { readonly template: string; readonly labelWords: Readonly<Record<string, string>> } | undefined
}

/** A trained adapter: all that is needed to use it on its base model. */
export interface Adapter {
  readonly options: MethodOptions
  /** What the method remembers; see `Decision.memory`. */
  readonly memory: unknown
  /** Method parameters, trained tensors of the base model, and the head. */
  readonly state: ReadonlyMap<string, Tensor>
  readonly card: Card
}

/** The model that an adapter belongs to. */
export interface Subject {
  readonly model: Model
  readonly outline: Outline
}

/** Told of what is odd about an adapter but does not keep it from being used, one sentence at a time. */
export type Warn = (message: string) => void

/** How adapters of some methods are kept in a folder. */
export interface Format {
  readonly methods: readonly MethodName[]
  /** Whether it is to keep an adapter of its methods with these options; absent where it keeps them all. */
  readonly keeps?: (options: MethodOptions, subject: Subject, card: Card) => boolean
  /** The library whose folders these are; null where they are adatune's alone. */
  readonly library: string | null
  /** Every file that it writes. */
  readonly files: readonly string[]
  /** Whether a folder is of this format. */
  readonly holds: (folder: string) => boolean
  /** What the folder tells without the model. */
  readonly describe: (folder: string) => Card
  readonly write: (folder: string, adapter: Adapter, subject: Subject) => void
  /** The adapter; `own` are the options that adatune noted beside the format's files, to be used where they say the same. */
  readonly read: (folder: string, card: Card, subject: Subject, own: MethodOptions | null, warn: Warn) => Adapter
}

/** The method on this model, as it stands outside of training, or in a run of so many updates. */
export function methodOf(
  { options, memory }: Pick<Adapter, 'options' | 'memory'>,
  { model, outline }: Subject,
  totalSteps: number | null = null,
): Method {
  return definitionOf(options).create(options, settingOf(model, outline, totalSteps, memory))
}

/** The tensors that a method adds to this model, site by site. */
export const addedBy = (method: Method, { outline }: Subject): { name: string; shape: readonly number[] }[] =>
  outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]) => ({ name: parameterName(site, role), shape })),
  )

/** Whether a tensor lies outside of the encoder: adapter-hub counts all of these to the head. A model without a prefix has none. */
export const isOutside = ({ wiring: { prefix } }: Model, name: string): boolean => prefix !== '' && !name.startsWith(`${prefix}.`)
