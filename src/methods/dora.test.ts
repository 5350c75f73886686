import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNear, disturb, prepare, rows, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, startOf } from '../../test/contracts/trial.ts'
import type { Subject } from '../evaluate/assembly.ts'
import { constant } from '../graph/graph.ts'
import type { Method } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'
import { readTensor } from '../weights/safetensors.ts'
import { doraProduct, rowNorms } from './dora.ts'
import { lora } from './lora.ts'
import { lowRankIncrement } from './low-rank.ts'

const [r, alpha] = [2, 4]
const options = { r, alpha, targets: ['query', 'down'], dora: true }

/** W + s B A on the host. */
function directed({ model }: Subject, site: LinearSite, state: ReturnType<typeof startOf>): Float32Array {
  const increment = lowRankIncrement({
    a: state.get(`${site.name}.A.weight`)!,
    b: state.get(`${site.name}.B.weight`)!,
    scale: alpha / r,
  })
  return readTensor(model.find(`${site.name}.weight`)!).map((value, i) => value + increment[i]!)
}

for (const dropout of [0, 0.25]) {
  test(`DoRA with dropout ${dropout} starts as the frozen model, learns, and has gradients with a constant norm`, async () => {
    const subject = tinySubject()
    const { method } = prepare(subject, lora, { ...options, dropout })
    const state = startOf(subject, method)
    const [given, expected] = [await logitsOf(subject, method, state, rows), await logitsOf(subject, alone, startOf(subject, alone), rows)]
    given.forEach((logits, i) => {
      assertNear(logits, expected[i]!, 1e-6)
    })
    await assertLossFalls(subject, method, state, rows)
    disturb(state, /B\.weight$/)
    // The same model with the norms as numbers, which differences do not move.
    const held = new Map<string, Float32Array>()
    const form: Method = {
      ...method,
      linear(site, roles, call) {
        const [a, b] = [roles['A.weight']!, roles['B.weight']!]
        const dropped = call.dropout(call.input, dropout)
        return doraProduct(call, { a, b, scale: alpha / r }, roles['magnitude.weight']!, dropped, (_factors, { graph }) => {
          if (!held.has(site.name)) held.set(site.name, rowNorms(site, directed(subject, site, state)))
          return constant(graph, held.get(site.name)!, [site.out], 'float32')
        })
      },
    }
    await assertGradients(subject, method, state, rows, { pattern: /[AB]\.weight$|magnitude\.weight$/, form })
    const moving = { pattern: /self\.query\.A\.weight$/ }
    await assert.rejects(assertGradients(subject, method, state, rows, moving), /by differences/)
  })
}

test('DoRA is the model with the rows of W + s B A at length m', async () => {
  const subject = tinySubject()
  const { method } = prepare(subject, lora, options)
  const state = startOf(subject, method)
  disturb(state, /B\.weight$|magnitude\.weight$/, 0.5)
  const scaled: Method = { ...alone, trains: ({ name }) => /(query|\d\.output\.dense)\.weight$/.test(name) }
  const merged = startOf(subject, scaled)
  for (const [name, { shape, data }] of merged) {
    const [out, columns] = shape as [number, number]
    const site = { kind: 'linear', name: name.slice(0, -'.weight'.length), layer: 0, role: 'down', in: columns, out, bias: true } as const
    const magnitude = state.get(`${site.name}.magnitude.weight`)?.data
    if (!magnitude) continue
    const weight = directed(subject, site, state)
    const lengths = Array.from({ length: out }, (_, i) => Math.hypot(...weight.subarray(i * columns, (i + 1) * columns)))
    data.set(weight.map((value, i) => (value * magnitude[Math.floor(i / columns)]!) / lengths[Math.floor(i / columns)]!))
  }
  const [given, expected] = [await logitsOf(subject, method, state, rows), await logitsOf(subject, scaled, merged, rows)]
  given.forEach((logits, i) => {
    assertNear(logits, expected[i]!, 1e-5)
  })
})
