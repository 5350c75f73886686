import type { RunConfig } from '../config/run-config.ts'
import type { Method } from '../nn/method.ts'
import type { StepGraphOptions } from './step-graph.ts'

/** How a run's settings make its step, with logits in so many parts. */
export const stepOptions = (
  method: Method,
  parts: number,
  {
    labelSmoothing,
    classWeights,
    betas,
    epsilon,
    weightDecay,
    decay,
    maxGradNorm,
    accumulate,
    dropout,
    recompute,
    ...train
  }: RunConfig['train'],
): StepGraphOptions => ({
  method,
  objective: { passes: method.passes, consistency: method.consistency, labelSmoothing, classWeights, parts },
  adam: { betas, epsilon, weightDecay },
  decay,
  maxGradNorm,
  accumulate,
  tokensAtOnce: tokensAtOnce(train),
  modelDropout: dropout,
  recompute: layersRemade(recompute),
})

/** The tokens of a chunk; null where micro-batches are computed whole, as long as nothing else is settled. */
export const tokensAtOnce = ({ tokensAtOnce }: Pick<RunConfig['train'], 'tokensAtOnce'>): number | null =>
  tokensAtOnce === 'auto' ? null : tokensAtOnce

/** The layers that are made again together, as `every-2` says; null where none are. */
function layersRemade(recompute: RunConfig['train']['recompute']): number | null {
  return recompute === 'none' || recompute === 'auto' ? null : Number(recompute.slice('every-'.length))
}
