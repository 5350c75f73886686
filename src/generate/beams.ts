import type { GenerationOptions } from './options.ts'
import { largest } from './scores.ts'

/** A text in a beam search: what was written, and the log-probability of it. */
export interface Hypothesis {
  readonly written: readonly number[]
  readonly score: number
}

/** A text that goes on: `parent` is the number, among the beams that were running, of the one that it goes on from. */
export interface Beam extends Hypothesis {
  readonly parent: number
}

interface Ended extends Hypothesis {
  /** False for the places that no text has taken yet. */
  readonly complete: boolean
}

/** A beam search for one text, between two steps. */
export interface Search {
  readonly running: readonly Beam[]
  readonly ended: readonly Ended[]
  /** Whether a running beam may still come to be better than what has ended. */
  readonly hopeful: boolean
  readonly done: boolean
}

/** What stands for "not at all" in HF's search; sums with it stay finite. */
const NEVER = -1e9

export function openSearch(beams: number): Search {
  const score = (i: number): number => (i === 0 ? 0 : NEVER)
  return {
    running: Array.from({ length: beams }, (_, parent) => ({ written: [], score: score(parent), parent })),
    ended: Array.from({ length: beams }, () => ({ written: [], score: NEVER, complete: false })),
    hopeful: true,
    done: false,
  }
}

const best = <T extends Hypothesis>(all: readonly T[], count: number): T[] =>
  largest(
    all.map(({ score }) => score),
    count,
  ).map(({ index }) => all[index]!)

/**
 * A step of beam search as HF 4.57 does it. `scores` are log-probabilities of the next token of each running beam, `[vocabulary]` each.
 * Candidates that end, or reach `most` tokens, leave the beams; those of the best `beams` candidates are compared with what ended before,
 * by score over length to the power of the penalty.
 */
export function searchOn(
  { running, ended, hopeful }: Search,
  scores: readonly Float32Array[],
  ends: readonly number[],
  most: number,
  { beams, lengthPenalty, earlyStopping }: GenerationOptions,
): Search {
  const length = running[0]!.written.length + 1
  const wanted = Math.max(2, 1 + ends.length) * beams
  const candidates = best(
    running.flatMap(({ score, written }, parent) =>
      largest(scores[parent]!, wanted).map((token) => ({ score: score + token.score, parent, written: [...written, token.index] })),
    ),
    wanted,
  )
  const stops = candidates.map(({ written }) => length >= most || ends.includes(written.at(-1)!))
  const next = best(
    candidates.map((candidate, i) => ({ ...candidate, score: candidate.score + (stops[i] ? NEVER : 0) })),
    beams,
  )
  const closed = earlyStopping === true && ended.every(({ complete }) => complete)
  const added = candidates.map((candidate, i): Ended => {
    const complete = stops[i]! && i < beams
    const barred = Number(closed) + Number(!hopeful) + Number(!complete)
    return { written: candidate.written, complete, score: candidate.score / length ** lengthPenalty + barred * NEVER }
  })
  const all = best([...ended, ...added], beams)
  const reach = earlyStopping === 'never' && lengthPenalty > 0 ? most : length
  const possible = next[0]!.score / reach ** lengthPenalty
  const worst = Math.min(...all.map(({ score }) => score))
  const stillHopeful = hopeful && all.some(({ complete }) => possible > (complete ? worst : NEVER))
  const open = !(earlyStopping === true && all.every(({ complete }) => complete))
  return { running: next, ended: all, hopeful: stillHopeful, done: !(stillHopeful && open && !stops.every(Boolean)) }
}
