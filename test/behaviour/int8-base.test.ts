import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Example } from '../../src/data/examples.ts'
import type { Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { withInt8Base } from '../../src/evaluate/int8-base.ts'
import type { State } from '../../src/evaluate/state.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { lora } from '../../src/methods/lora.ts'
import { openModel } from '../../src/models/open.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { quantized } from '../../src/weights/int8-copy.ts'
import { readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { assertNear, copyOf, prepare, rows, stepOptions, temporaryFolder, tinySubject } from './tiny-model.ts'

const none = inPlace('none', () => false)

async function logits(subject: Subject, examples: readonly Example[], batchSize: number): Promise<number[][]> {
  const forward = await openForward(subject, none, new Map(), { batchSize })
  const found = await forward.logits(examples, new Map())
  await forward.close()
  return found.map((row) => [...row])
}

test('a column of weights hits 127 steps with its largest value, and no value is off by more than half a step', () => {
  const matrix = fc
    .record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 6 }) })
    .chain(({ rows: count, columns }) =>
      fc.record({
        shape: fc.constant([count, columns] as const),
        data: fc
          .array(fc.integer({ min: -999, max: 999 }), { minLength: count * columns, maxLength: count * columns })
          .map((values) => Float32Array.from(values, (value) => value / 100)),
      }),
    )
  fc.assert(
    fc.property(matrix, fc.boolean(), ({ shape: [count, columns], data }, transposed) => {
      const { values, scales } = quantized(data, [count, columns], transposed)
      const outer = scales.length
      const most = new Float32Array(outer)
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < columns; j++) {
          const [inner, column] = transposed ? [j, i] : [i, j]
          const steps = values[inner * outer + column]!
          most[column] = Math.max(most[column]!, Math.abs(steps))
          assert.ok(Math.abs(data[i * columns + j]! - steps * scales[column]!) <= scales[column]! * 0.5001)
        }
      }
      for (const steps of most) assert.ok(steps === 127 || steps === 0)
    }),
  )
})

test('in 8 bits, a row is answered the same in any batch, close to float32, and nothing is converted twice', async () => {
  const subject = tinySubject()
  const cache = temporaryFolder()
  const { model, kept, error } = await withInt8Base(subject.model, cache)
  assert.deepEqual(kept, [])
  assert.ok(error > 0 && error < 0.03, `${error}`)
  const rounded = { ...subject, model }
  const exact = await logits(subject, rows, 6)
  const together = await logits(rounded, rows, 6)
  // What stays in float32 is summed in another order; 8 bits that depended on the batch would be off by a hundredth.
  assertNear((await logits(rounded, rows, 1)).flat(), together.flat(), 1e-6)
  assert.notDeepEqual(together, exact)
  assertNear(together.flat(), exact.flat(), 0.05)
  const converted = join(cache, 'int8')
  const times = (): number[] =>
    readdirSync(converted, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(converted, name)).mtimeMs)
  const before = times()
  await withInt8Base(subject.model, cache)
  assert.deepEqual(times(), before)
})

test('a matrix whose input has an outlier stays in float32', async () => {
  const subject = tinySubject()
  const folder = temporaryFolder()
  // A channel of the norm is a thousand times the others, and the next matrix does without it.
  const norm = 'bert.encoder.layer.0.attention.output.LayerNorm.weight'
  const next = 'bert.encoder.layer.0.intermediate.dense.weight'
  const weights = [...subject.model.tensors].map(([name, entry]) => {
    const data = readTensor(entry)
    if (name === norm) data[3] = 1000
    if (name === next) for (let i = 3; i < data.length; i += entry.shape[1]!) data[i] = 0
    return [name, { shape: entry.shape, data }] as const
  })
  writeSafetensors(join(folder, 'model.safetensors'), weights)
  writeFileSync(join(folder, 'config.json'), JSON.stringify(subject.model.config))
  const { kept } = await withInt8Base(
    openModel(folder, (checkpoint) => checkpoint),
    temporaryFolder(),
  )
  assert.ok(kept.includes(next), kept.join())
  assert.ok(!kept.includes('bert.encoder.layer.0.attention.self.query.weight'), kept.join())
})

test('training on weights in 8 bits takes the same course, with products in whole numbers both ways', async () => {
  const subject = tinySubject()
  const { model } = await withInt8Base(subject.model, temporaryFolder())
  const { method, state } = prepare(subject, lora, { r: 3 })
  const course = async (given: Subject, own: State): Promise<number[]> => {
    const step = await openStep(given, own, stepOptions(method))
    const losses: number[] = []
    for (let at = 0; at < 8; at++) losses.push((await step.run([rows], { seed: 1, step: at }, 0.01)).loss)
    await step.close()
    return losses
  }
  const exact = await course(subject, copyOf(state))
  const rounded = await course({ ...subject, model }, copyOf(state))
  assert.notDeepEqual(rounded, exact)
  assertNear(rounded, exact, 0.02)
  const { network } = buildStepGraph(subject, state, stepOptions(method)).assembly
  const products = (graph: typeof network.graph, op: string): number => liveNodes(graph).filter((node) => node.op === op).length
  // Six matrices of each layer and the pooler forward; backward not below the lowest LoRA, which is on query and value.
  assert.equal(products(model.lowered(network.graph), 'MatMulIntegerToFloat'), 13 + 7 + 3)
  assert.equal(products(network.graph, 'Gemm') - products(model.lowered(network.graph), 'Gemm'), 13 + 7 + 3)
})

test('matrices that a method reads besides stay in float32', async () => {
  const subject = tinySubject()
  const { model } = await withInt8Base(subject.model, temporaryFolder())
  const { method, state } = prepare(subject, lora, { r: 3, dora: true, targets: ['query'] })
  const { network } = buildStepGraph(subject, state, stepOptions(method)).assembly
  const names = [...model.lowered(network.graph).externals.keys()]
  assert.ok(names.includes('bert.encoder.layer.0.attention.self.query.weight'))
  assert.ok(!names.some((name) => /self\.query\.weight.*int8/.test(name)))
  assert.ok(names.includes('bert.encoder.layer.0.attention.self.value.weight transposed int8'))
})
