import { definitionOf, type MethodOptions } from '../methods/index.ts'
import { settingOf } from '../models/setting.ts'
import { deployed, learnedAt, type Method } from '../nn/method.ts'
import { elementCount } from '../nn/tensor.ts'
import { isHead, type Outline, type Subject } from './assembly.ts'

/** Numbers of weights: of the base model without head, of the head, trained by the method, and left of these at the end. */
export interface WeightCounts {
  readonly base: number
  readonly head: number
  /** What the method trains, the head not counted. */
  readonly trained: number
  /** What of it is left after merging experts or pruning ranks (at the target's uniform ranks). */
  readonly merged: number
}

/** The weights that a method adds, and those of the base model it trains in place; the head not counted. */
function methodWeights(subject: Subject, { sites, base }: Outline, method: Method): number {
  const added = sites.flatMap((site) => learnedAt(method, site)).reduce((sum, { shape }) => sum + elementCount(shape), 0)
  const inPlace = [...base.values()].filter((parameter) => !isHead(subject, parameter.name) && method.trains(parameter))
  return inPlace.reduce((sum, { shape }) => sum + elementCount(shape), added)
}

/** Counts weights from shapes alone. */
export function weightCounts(subject: Subject, outline: Outline, method: Method): WeightCounts {
  const all = [...outline.base.values()].map(({ name, shape }) => ({ head: isHead(subject, name), count: elementCount(shape) }))
  const sum = (head: boolean): number => all.reduce((total, entry) => total + (entry.head === head ? entry.count : 0), 0)
  const { method: plain } = deployed(method, new Map())
  return {
    base: sum(false),
    head: sum(true),
    trained: methodWeights(subject, outline, method),
    merged: Math.round(methodWeights(subject, outline, plain) * (plain.remains ?? 1)),
  }
}

/** A method made for a subject outside of training. */
export function methodFor(
  subject: Subject,
  outline: Outline,
  options: MethodOptions,
  totalSteps: number | null = null,
  memory: unknown = null,
): Method {
  return definitionOf(options).create(options, settingOf(subject.model, outline, totalSteps, memory))
}
