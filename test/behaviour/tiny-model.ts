import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Example, Label } from '../../src/data/examples.ts'
import { type Outline, outline, type Subject } from '../../src/evaluate/assembly.ts'
import { initialState, type State } from '../../src/evaluate/state.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
import type { Setting } from '../../src/methods/definition.ts'
import { openConfig, openModel } from '../../src/models/open.ts'
import { settingOf as modelSetting } from '../../src/models/setting.ts'
import type { Method } from '../../src/nn/method.ts'
import { normals, stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import type { StepGraphOptions } from '../../src/train/step-graph.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'adatune-'))
  folders.push(folder)
  return folder
}

export const labels = 3
/** Sizes of a BERT of two layers. */
export const bertSizes = {
  model_type: 'bert',
  vocab_size: 50,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 24,
}
const bertFields = {
  ...bertSizes,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
}

/** A model known by its config alone, for counting. */
export function bareSubject(config: Readonly<Record<string, unknown>>, task: TaskName = 'sequence-classification'): Subject {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  return { model: openConfig(folder), head: heads[task], labels }
}

/** A BERT of two layers with random weights, on disk. */
export function tinySubject(fields: Readonly<Record<string, unknown>> = {}, task: TaskName = 'sequence-classification'): Subject {
  const bare = bareSubject({ ...bertFields, ...fields }, task)
  const { folder } = bare.model
  const tensors = [...outline(bare).base.values()].map(({ name, shape }) => {
    const size = shape.reduce((n, dim) => n * dim, 1)
    const data = normals(size, keyOf('tiny', name), { mean: name.endsWith('LayerNorm.weight') ? 1 : 0, deviation: 0.2 })
    return [name, { shape, data }] as const
  })
  writeSafetensors(join(folder, 'model.safetensors'), tensors)
  return { ...bare, model: openModel(folder, (checkpoint) => checkpoint) }
}

/** A row of random tokens with all of them attended. */
export function example(length: number, label: Label, seed = 0): Example {
  const draws = stream(keyOf('row', length, JSON.stringify(label), seed))
  const ids = Int32Array.from({ length }, () => draws.below(bertFields.vocab_size))
  const types = Int32Array.from({ length }, (_, i) => (i > length / 2 ? 1 : 0))
  return { ids, types, mask: new Uint8Array(length).fill(1), label, file: '', line: 0 }
}

export const rows = [example(5, 0), example(9, 2), example(3, 1), example(7, 1), example(8, 0), example(4, 2)]

export interface Prepared {
  readonly subject: Subject
  readonly shape: Outline
  readonly method: Method
  readonly state: State
}

/** A method's definition, whatever its options are. */
interface AnyDefinition {
  readonly name: string
  readonly options: { readonly parse: (given: unknown) => unknown }
  readonly create: (options: never, setting: Setting) => Method
}

export function settingOf(subject: Subject, { totalSteps = 20, memory = null }: Partial<Setting> = {}): Setting {
  return modelSetting(subject.model, outline(subject), totalSteps, memory)
}

/** A method on a subject with its state at the start of a run. */
export function prepare(
  subject: Subject,
  definition: AnyDefinition,
  options: Readonly<Record<string, unknown>> = {},
  setting: Partial<Setting> = {},
  seed = 1,
): Prepared {
  const shape = outline(subject)
  const method = definition.create(definition.options.parse({ name: definition.name, ...options }) as never, settingOf(subject, setting))
  return { subject, shape, method, state: initialState(subject, shape, method, seed) }
}

/** Gives random values to the tensors whose name matches, which start at zero, so that all gradients differ from zero. */
export function disturb(state: State, pattern: RegExp, deviation = 0.3): void {
  for (const [name, { data }] of state)
    if (pattern.test(name)) data.set(normals(data.length, keyOf('disturb', name), { mean: 0, deviation }))
}

export function stepOptions(method: Method, changes: Partial<StepGraphOptions> = {}): StepGraphOptions {
  return {
    method,
    objective: { passes: method.passes, consistency: method.consistency, labelSmoothing: 0, classWeights: null },
    adam: { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 },
    decay: 'all',
    maxGradNorm: null,
    accumulate: 1,
    tokensAtOnce: null,
    modelDropout: null,
    recompute: null,
    ...changes,
  }
}

/** A deep copy. */
export function copyOf(state: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): State {
  return new Map([...state].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]))
}

type Values = ReadonlyMap<string, { readonly data: Float32Array }>

/** Every tensor of `expected` has the same bits in `given`. */
export function assertSameBits(given: Values, expected: Values): void {
  for (const [name, { data }] of expected) {
    const other = given.get(name)!.data
    assert.deepEqual(
      new Uint32Array(other.buffer, other.byteOffset, other.length),
      new Uint32Array(data.buffer, data.byteOffset, data.length),
      name,
    )
  }
}

/** Numbers agree up to `tolerance`, relative to the larger of 1 and the expected one. */
export function assertNear(given: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what = ''): void {
  assert.equal(given.length, expected.length, what)
  for (let i = 0; i < expected.length; i++) {
    const bound = tolerance * Math.max(1, Math.abs(expected[i]!))
    assert.ok(Math.abs(given[i]! - expected[i]!) <= bound, `${what}[${i}]: ${given[i]}, expected ${expected[i]}`)
  }
}
