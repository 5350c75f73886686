import type { GenerationOptions } from './options.ts'

/** Where a text stands: its tokens, with those that it goes on from. */
export interface Sofar {
  readonly ids: readonly number[]
  /** How many of them were not written. */
  readonly given: number
  /** How many may be written. */
  readonly most: number
  /** Tokens that end a text. */
  readonly ends: readonly number[]
}

/** Changes the scores of the next token, `[vocabulary]`, in place. */
type Rule = (scores: Float32Array, sofar: Sofar, options: GenerationOptions) => void

function forbid(scores: Float32Array, ids: readonly number[]): void {
  for (const id of ids) scores[id] = -Infinity
}

function force(scores: Float32Array, id: number): void {
  scores.fill(-Infinity)
  scores[id] = 0
}

const repetition: Rule = (scores, { ids }, { repetitionPenalty: penalty }) => {
  if (penalty === 1) return
  for (const id of new Set(ids)) scores[id] = scores[id]! < 0 ? scores[id]! * penalty : scores[id]! / penalty
}

/** Paulus et al. 2018: no n-gram comes twice. */
const ngrams: Rule = (scores, { ids }, { noRepeatNgram: n }) => {
  if (n === 0 || ids.length + 1 < n) return
  const last = ids.slice(ids.length + 1 - n)
  forbid(
    scores,
    ids.filter((_, i) => i >= n - 1 && last.every((id, j) => ids[i - n + 1 + j] === id)),
  )
}

const shortest: Rule = (scores, { ids, given, ends }, { minNewTokens }) => {
  if (ids.length - given < minNewTokens) forbid(scores, ends)
}

const start: Rule = (scores, { ids, given }, { forcedStart }) => {
  if (forcedStart !== null && ids.length === given) force(scores, forcedStart)
}

const end: Rule = (scores, { ids, given, most }, { forcedEnd }) => {
  if (forcedEnd !== null && ids.length === given + most - 1) force(scores, forcedEnd)
}

/** In the order of HF's `generate`. */
const rules: readonly Rule[] = [repetition, ngrams, shortest, start, end]

export function applyRules(scores: Float32Array, sofar: Sofar, options: GenerationOptions): void {
  for (const rule of rules) rule(scores, sofar, options)
}
