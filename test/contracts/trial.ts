import assert from 'node:assert/strict'
import type { Example } from '../../src/data/examples.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { initialState, type State } from '../../src/evaluate/state.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { type Method, unmixed } from '../../src/nn/method.ts'
import { isHead } from '../../src/nn/outline.ts'
import { openSession } from '../../src/runtime/node.ts'
import { firstMoment } from '../../src/train/state-update.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph, type StepGraphOptions } from '../../src/train/step-graph.ts'
import { stepFeeds } from '../behaviour/step-feeds.ts'
import { copyOf, stepOptions } from '../behaviour/tiny-model.ts'

/** What every sketch shares: one pass, no consistency, nothing of the base model trained. */
export const plain = { ...unmixed, trains: () => false } as const
export const alone: Method = inPlace('none', () => false)

/** The state at the start without the head, so that what is learned is learned by the method. */
export function startOf(subject: Subject, method: Method): State {
  const shape = outline(subject)
  return new Map([...initialState(subject, shape, method, 1)].filter(([name]) => !isHead(shape, name)))
}

export async function logitsOf(subject: Subject, method: Method, state: State, examples: readonly Example[]): Promise<Float32Array[]> {
  const forward = await openForward(subject, method, state, { batchSize: examples.length })
  const logits = await forward.logits(examples, state)
  await forward.close()
  return logits
}

/** The loss falls through the trainer's own step, with the head left as it is. */
export async function assertLossFalls(
  subject: Subject,
  method: Method,
  state: State,
  examples: readonly Example[],
  rate = 0.05,
): Promise<void> {
  const own = copyOf(state)
  const step = await openStep(subject, own, stepOptions(method))
  const losses: number[] = []
  for (let i = 0; i < 8; i++) losses.push((await step.run([examples], { seed: 1, step: i }, rate)).loss)
  await step.close()
  assert.ok(losses.at(-1)! < losses[0]! - 0.03, losses.join(' '))
}

/** Loss and gradients at a state, without an update; dropout is the same each time. */
async function openTrial(subject: Subject, method: Method, state: State, changes: Partial<StepGraphOptions>) {
  const options = stepOptions(method, changes)
  const graph = buildStepGraph(subject, state, options)
  graph.engine.aliases.clear()
  const session = await openSession(graph.engine)
  return { run: (examples: readonly Example[]) => session.run(stepFeeds(subject, graph, options, state, examples)), close: session.close }
}

export interface Comparison {
  /** Parameters by name. */
  readonly pattern: RegExp
  /** The form whose loss is differenced, where it is not the method itself. */
  readonly form?: Method
  readonly changes?: Partial<StepGraphOptions>
}

/** The largest entries of each parameter's gradient agree with central differences of the loss; at least one is not zero. */
export async function assertGradients(
  subject: Subject,
  method: Method,
  state: State,
  examples: readonly Example[],
  { pattern, form = method, changes = {} }: Comparison,
): Promise<void> {
  const exact = await openTrial(subject, method, state, changes)
  const given = await exact.run(examples)
  await exact.close()
  const trial = await openTrial(subject, form, state, changes)
  const loss = async (): Promise<number> => (await trial.run(examples)).loss!.data[0]!
  assert.ok(Math.abs((await loss()) - given.loss!.data[0]!) < 1e-5)
  const names = [...state.keys()].filter((name) => pattern.test(name))
  assert.ok(names.length > 0)
  let largest = 0
  for (const name of names) {
    const { data } = state.get(name)!
    const gradient = Array.from(given[`${firstMoment(name)}=`]!.data, (value) => value / (1 - 0.9))
    const places = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b]!) - Math.abs(gradient[a]!)).slice(0, 2)
    for (const at of places) {
      const held = data[at]!
      data[at] = held + 0.01
      const above = await loss()
      data[at] = held - 0.01
      const below = await loss()
      data[at] = held
      const numeric = (above - below) / 0.02
      largest = Math.max(largest, Math.abs(numeric))
      assert.ok(
        Math.abs(numeric - gradient[at]!) < 0.01 * Math.abs(numeric) + 3e-5,
        `${name}[${at}]: ${gradient[at]}, by differences ${numeric}`,
      )
    }
  }
  assert.ok(largest > 2e-3, `the largest gradient is ${largest}`)
  await trial.close()
}
