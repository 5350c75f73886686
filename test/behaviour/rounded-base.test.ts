import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Example } from '../../src/data/examples.ts'
import type { Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { type RoundedBase, withRoundedBase } from '../../src/evaluate/rounded-base.ts'
import type { State } from '../../src/evaluate/state.ts'
import { openWriter } from '../../src/generate/writer.ts'
import { everywhere } from '../../src/heads/head.ts'
import { heads } from '../../src/heads/index.ts'
import { int4 } from '../../src/lowering/roundings/int4.ts'
import { int8 } from '../../src/lowering/roundings/int8.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { lora } from '../../src/methods/lora.ts'
import { type Model, openModel } from '../../src/models/open.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { in8Bits } from '../../src/weights/in-8-bits.ts'
import { readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { assertNear, copyOf, example, prepare, rows, stepOptions, temporaryFolder, tinySubject } from './tiny-model.ts'

const none = inPlace('none', () => false)

/** How far hidden states, answers and losses of a rounded base may be off, of a tiny model whose layers are as wide as a block or two. */
const all = [
  { name: 'int8', rounding: int8, hidden: 0.03, logits: 0.05, losses: 0.02, written: 1e-6 },
  { name: 'int4', rounding: int4, hidden: 0.2, logits: 0.4, losses: 0.2, written: 0.06 },
] as const
const inBits = (model: Model, { name, rounding }: (typeof all)[number], cache = temporaryFolder()): Promise<RoundedBase> =>
  withRoundedBase(model, { name, rounding }, cache)

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
      const { values, scales } = in8Bits(data, [count, columns], transposed)
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

for (const form of all) {
  test(`in ${form.name}, a row is answered the same in any batch, close to float32, and nothing is converted twice`, async () => {
    const subject = tinySubject()
    const cache = temporaryFolder()
    const { model, kept, error } = await inBits(subject.model, form, cache)
    assert.deepEqual(kept, [])
    assert.ok(error > 0 && error < form.hidden, `${error}`)
    const rounded = { ...subject, model }
    const exact = await logits(subject, rows, 6)
    const together = await logits(rounded, rows, 6)
    // What stays in float32 is summed in another order; rows whose 8 bits depended on the batch would be off by a hundredth.
    assertNear((await logits(rounded, rows, 1)).flat(), together.flat(), 1e-6)
    assert.notDeepEqual(together, exact)
    assertNear(together.flat(), exact.flat(), form.logits)
    const converted = join(cache, form.name)
    const times = (): number[] =>
      readdirSync(converted, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(converted, name)).mtimeMs)
    const before = times()
    await inBits(subject.model, form, cache)
    assert.deepEqual(times(), before)
  })

  test(`training on weights in ${form.name} takes the same course, with products in whole numbers both ways`, async () => {
    const subject = tinySubject()
    const { model } = await inBits(subject.model, form)
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
    assertNear(rounded, exact, form.losses)
    const { engine } = buildStepGraph(subject, state, stepOptions(method))
    const products = (graph: typeof engine, op: string): number => liveNodes(graph).filter((node) => node.op === op).length
    // Six matrices of each layer and the pooler forward; backward not below the lowest LoRA, which is on query and value.
    assert.equal(products(model.lowered(engine), 'MatMulIntegerToFloat'), 13 + 7 + 3)
    assert.equal(products(engine, 'Gemm') - products(model.lowered(engine), 'Gemm'), 13 + 7 + 3)
  })
}

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
  const { kept } = await inBits(
    openModel(folder, (checkpoint) => checkpoint),
    all[0],
  )
  assert.ok(kept.includes(next), kept.join())
  assert.ok(!kept.includes('bert.encoder.layer.0.attention.self.query.weight'), kept.join())
})

test('matrices that a method reads besides stay in float32', async () => {
  const subject = tinySubject()
  const { model } = await inBits(subject.model, all[0])
  const { method, state } = prepare(subject, lora, { r: 3, dora: true, targets: ['query'] })
  const { engine } = buildStepGraph(subject, state, stepOptions(method))
  const names = [...model.lowered(engine).externals.keys()]
  assert.ok(names.includes('bert.encoder.layer.0.attention.self.query.weight'))
  assert.ok(!names.some((name) => /self\.query\.weight.*int8/.test(name)))
  assert.ok(names.includes('bert.encoder.layer.0.attention.self.value.weight transposed int8'))
})

for (const form of all) {
  test(`with weights in ${form.name} a model writes, from matrices that the engine has packed, what it says of whole rows`, async () => {
    const plain = openModel(join(import.meta.dirname, '../golden/llama-clm-full/base'), (checkpoint) => checkpoint)
    const { model } = await inBits(plain, form)
    const subject = { model, head: heads['causal-lm'], labels: 0 }
    const ids = [5, 17, 30, 8, 21, 11, 40]
    const text = { ...example(ids.length, 0), ids: Int32Array.from(ids) }
    const writer = await openWriter(subject, none, new Map())
    const { logits: written, vocabulary } = await writer.begin([text])
    await writer.close()
    const [whole] = await logits({ ...subject, head: everywhere(subject.head) }, [text], 1)
    const exact = await logits({ ...subject, model: plain, head: everywhere(subject.head) }, [text], 1)
    const last = (row: readonly number[]): number[] => row.slice(-vocabulary)
    const norm = (values: readonly number[]): number => Math.hypot(...values)
    const off = norm(last(whole!).map((value, i) => value - written[i]!)) / norm(last(whole!))
    // The engine's packed product rounds rows block by block, ours row by row.
    assert.ok(off < form.written, `${off}`)
    assert.notDeepEqual(last(whole!), last(exact[0]!))
  })
}
