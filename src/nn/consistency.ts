/** How two passes of a batch make one loss. */
export interface Consistency {
  /** Weight of the divergence between the passes, once it is at its height. */
  readonly weight: number
  /** Updates in which the weight rises from 0 on a line; 0 where it is the same in all. */
  readonly ramp: number
  /** Whether a divergence's targets pass no gradient on, as in the code of AdaMix's authors, or it is differentiated as it stands. */
  readonly form: 'reference' | 'symmetric'
  /**
   * How passes that answer by numbers are compared: by half their squared difference, or as in the code of AdaMix's authors, by a
   * divergence, which is 0 over a single logit.
   */
  readonly numbers: 'square' | 'divergence'
  /** The passes whose task loss counts: the first, as in AdaMix, or the sum of both, as in THOR (Zuo et al. 2022). */
  readonly crossEntropy: 'first' | 'both'
}

/** The weight at update `step`, counted from 0; it rises as the learning rate does while warming up. */
export function consistencyWeight({ weight, ramp }: Consistency, step: number): number {
  return step < ramp ? (weight * step) / ramp : weight
}
