/** A module as a selection sees it. */
export interface Scored {
  readonly name: string
  /** Index of the transformer layer, or null outside of the layers. */
  readonly layer: number | null
  /** Scores of its components. */
  readonly scores: Float32Array
}

/** Which components of each module stay, given the number that may over all. */
export type Selection = (modules: readonly Scored[], budget: number) => boolean[][]

/** Ranks that are known before training, by module, read from a file. Throws UserError where it holds none. */
export type Recording = (file: string) => ReadonlyMap<string, number>
