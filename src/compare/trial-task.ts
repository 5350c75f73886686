import type { RunConfig } from '../config/run-config.ts'
import type { RunEvent } from '../train/events.ts'

/** What a process is asked for: a trial's run, trained to its end in `folder` and judged. */
export interface TrialTask {
  readonly folder: string
  readonly run: RunConfig
  /** Where the same run is trained to its end already, so that this one begins as a copy of it; null, or not there: it is trained. */
  readonly trained: string | null
  /** 0 for runs whose rows are not compared. */
  readonly resamples: number
  /** What answers: `merged`, or a route of a mixture as for `adatune eval`. */
  readonly inference: string
}

/** What the process is told later: to stop after the update that it makes, with a checkpoint. */
export interface StopRequest {
  readonly stop: true
}

/** What it tells. The last of these is `ended`, `stopped` or `failed`. */
export type TrialMessage =
  | { readonly kind: 'event'; readonly event: RunEvent }
  | { readonly kind: 'ended' | 'stopped' }
  | { readonly kind: 'failed'; readonly message: string }

/** What is left of a trial that came to its end. */
export const JUDGEMENT = 'judgement.json'
