import type { RunConfig } from '../config/run-config.ts'
import type { Method } from '../nn/method.ts'
import type { StepGraphOptions } from './step-graph.ts'

/** How a run's settings make its step, with logits in so many parts. */
export const stepOptions = (
  method: Method,
  parts: number,
  { labelSmoothing, classWeights, betas, epsilon, weightDecay, decay, maxGradNorm, accumulate, dropout, recompute }: RunConfig['train'],
): StepGraphOptions => ({
  method,
  objective: { passes: method.passes, consistency: method.consistency, labelSmoothing, classWeights, parts },
  adam: { betas, epsilon, weightDecay },
  decay,
  maxGradNorm,
  accumulate,
  modelDropout: dropout,
  recompute: layersRemade(recompute),
})

/** The layers that are made again together, as `every-2` says; null where none are. */
export function layersRemade(recompute: RunConfig['train']['recompute']): number | null {
  return recompute === 'none' || recompute === 'auto' ? null : Number(recompute.slice('every-'.length))
}
