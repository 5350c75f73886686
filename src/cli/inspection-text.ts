import type { MethodInspection, ModuleGroup } from '../evaluate/inspection.ts'
import type { MethodOptions } from '../methods/index.ts'
import { bytes, count, flops } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import { weightsTable } from '../track/weights-table.ts'
import type { StepCost } from '../train/forecast/step-cost.ts'
import type { ModelInspection } from './model-inspection.ts'

const sizes = ({ in: inner, out }: Pick<ModuleGroup, 'in' | 'out'>): string => (inner === null ? '' : `${inner} -> ${out}`)

const heading = ({ modelType, layers, hidden, task, outputs, weights: { base, head } }: ModelInspection): string =>
  `${modelType}: ${layers} layers of hidden size ${hidden}\n` +
  `${count(base)} weights, with the head for ${task} (${outputs} ${outputs === 1 ? 'output' : 'outputs'}) ${count(base + head)}\n`

/** A model alone: its size, and what a method may target. */
export function baseText(model: ModelInspection): string {
  const rows = model.linear.map((group) => [group.role ?? '', count(group.count), sizes(group), group.pattern])
  return (
    `${heading(model)}vocabulary of ${count(model.vocabularySize)}, rows of up to ${model.maxPositions} tokens\n` +
    `forward pass: ${flops(model.forwardFlopsPerToken)} a token, in rows of ${model.length}\n\n` +
    table([['role', 'modules', 'in -> out', 'name'], ...rows], { align: ['left', 'right', 'left', 'left'] })
  )
}

/** Options as `r 8`, one level of nesting written `of.size 16`. */
function settings(options: object, prefix = ''): [string, string][] {
  return Object.entries(options).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && 'name' in value
      ? settings(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, typeof value === 'string' ? value : JSON.stringify(value)] as [string, string]],
  )
}

/** What a budget became: the options that it set. */
function budgetText(given: MethodOptions, { options }: MethodInspection): string {
  if (!('budget' in given) || given.budget === null) return ''
  const before = new Map(settings(given))
  const set = settings(options).filter(([name, value]) => !name.endsWith('budget') && before.get(name) !== value)
  const became = set.map(([name, value]) => `${name} ${value}`).join(', ')
  return `budget ${typeof given.budget === 'object' ? `of ${given.budget.ranks} ranks` : given.budget}: ${became || 'what the method has'}\n`
}

/** The method with its settings that are not null, empty or false. */
function methodLine({ options }: MethodInspection): string {
  const shown = settings(options).filter(([name, value]) => name !== 'name' && !['null', '[]', '{}', 'false'].includes(value))
  return [options.name, ...shown.map(([name, value]) => `${name} ${value}`)].join('  ')
}

/** A method on a model: weights, operations, where it acts, and what an update takes. */
export function methodText(model: ModelInspection, given: MethodOptions, found: MethodInspection, step: StepCost): string {
  const { base, training, merged, modules, inPlace, passes } = found
  const weights = { ...model.weights, trained: training.weights, merged: merged.weights }
  const costs = { base: base.forwardFlopsPerToken, training: training.forwardFlopsPerToken, merged: merged.forwardFlopsPerToken }
  const added = modules.map((group) => [group.role ?? '', count(group.count), sizes(group), count(group.weights), group.pattern])
  const tensors = inPlace.map(({ pattern, count: many, weights }) => ['in place', count(many), '', count(weights), pattern])
  const acts = table([['acts on', 'modules', 'in -> out', 'weights', 'name'], ...added, ...tensors], {
    align: ['left', 'right', 'left', 'right', 'left'],
  })
  const batches = step.microBatches === 1 ? '' : `${step.microBatches} times `
  const chunks = step.chunks === 1 ? '' : ` in ${step.chunks} chunks`
  return (
    `${heading(model)}\n${methodLine(found)}\n${budgetText(given, found)}\n` +
    weightsTable(weights, costs, 'per token') +
    `% of the base with its head; per token: a forward pass in rows of ${found.length}${passes > 1 ? `, in training ${passes} passes` : ''}\n\n` +
    `${added.length + tensors.length > 0 ? `${acts}\n` : ''}` +
    `update of ${batches}${step.rows} rows of ${step.length} tokens${chunks}: ${flops(step.flops)}, ` +
    `about ${bytes(step.intermediateBytes)} of intermediate results, ${bytes(step.stateBytes)} of state\n` +
    `adapter with head: ${bytes(found.adapterBytes)}\n`
  )
}
