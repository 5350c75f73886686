/** What prunes and elects. */
export interface TensorSettings {
  /** Share of the elements that pruning leaves. */
  readonly density: number
  /** Whether the larger sum decides a sign, or the larger number of members. */
  readonly sign: 'total' | 'frequency'
  /** Which of `size` elements of a member stay where chance decides: 1, else 0. */
  readonly drawn: (member: number, size: number) => Uint8Array
}

/** Several tensors of one shape, each with its weight, as one. */
export type TensorRule = (tensors: readonly Float32Array[], weights: readonly number[], settings: TensorSettings) => Float32Array
