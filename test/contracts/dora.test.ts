import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Subject } from '../../src/evaluate/assembly.ts'
import type { Value } from '../../src/graph/graph.ts'
import { constant } from '../../src/graph/graph.ts'
import { add, div, mul, sqrt, stopGradient, sub } from '../../src/graph/ops/elementwise.ts'
import { gemm } from '../../src/graph/ops/matmul.ts'
import { reduceSumSquare } from '../../src/graph/ops/reduction.ts'
import { kaimingUniform, zeros } from '../../src/methods/initial.ts'
import { lowRankIncrement } from '../../src/methods/low-rank.ts'
import type { Method, ParameterSpec, Roles } from '../../src/nn/method.ts'
import type { LinearCall, LinearSite, Site } from '../../src/nn/site.ts'
import { readTensor } from '../../src/weights/safetensors.ts'
import { assertNear, disturb, rows, tinySubject } from '../behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, plain, startOf } from './trial.ts'

const [r, s] = [2, 2]
const acts = (site: Site): site is LinearSite => site.kind === 'linear' && ['query', 'down'].includes(site.role)
const weightOf = ({ model }: Subject, { name }: Site): Float32Array => readTensor(model.find(`${name}.weight`)!)

function rowNorms({ out, in: columns }: LinearSite, weight: Float32Array): Float32Array {
  return Float32Array.from({ length: out }, (_, i) => Math.hypot(...weight.subarray(i * columns, (i + 1) * columns)))
}

/** `‖W + s B A‖` of each row, a constant for the gradient. */
const norms = (_site: LinearSite, roles: Roles, { weight }: LinearCall): Value =>
  stopGradient(sqrt(reduceSumSquare(gemm(roles['B.weight']!, roles['A.weight']!, weight, { alpha: s }), { axes: [1] })))

/** DoRA (Liu et al. 2024) in PEFT's form: `W x + b + (m/n - 1) W x' + (m/n) s B A x'` with x' = dropout(x) and m = ‖W‖ at the start. */
const dora = (subject: Subject, p: number, normsAt = norms): Method => ({
  ...plain,
  name: 'dora',
  parameters(site): Record<string, ParameterSpec> {
    if (!acts(site)) return {}
    const [a, b] = [[r, site.in] as const, [site.out, r] as const]
    const magnitude = { shape: [site.out], init: () => rowNorms(site, weightOf(subject, site)) }
    return { 'A.weight': { shape: a, init: kaimingUniform(a) }, 'B.weight': { shape: b, init: zeros(b) }, magnitude }
  },
  linear(site, roles, call) {
    const { input, base, bias, dropout } = call
    const dropped = dropout(input, p)
    const ratio = div(roles.magnitude!, normsAt(site, roles, call))
    const product = bias ? sub(base(dropped), bias) : base(dropped)
    const inner = gemm(dropped, roles['A.weight']!, null, { transposeB: true })
    const outer = gemm(inner, roles['B.weight']!, null, { transposeB: true, alpha: s })
    return add(base(input), add(mul(product, sub(ratio, 1)), mul(outer, ratio)))
  },
})

/** W + s B A on the host. */
function directed(subject: Subject, site: LinearSite, state: ReturnType<typeof startOf>): Float32Array {
  const increment = lowRankIncrement({ a: state.get(`${site.name}.A.weight`)!, b: state.get(`${site.name}.B.weight`)!, scale: s })
  return weightOf(subject, site).map((value, i) => value + increment[i]!)
}

for (const p of [0, 0.25]) {
  test(`DoRA with dropout ${p} starts as the frozen model, learns, and has gradients with a constant norm`, async () => {
    const subject = tinySubject()
    const method = dora(subject, p)
    const state = startOf(subject, method)
    const [given, expected] = [await logitsOf(subject, method, state, rows), await logitsOf(subject, alone, startOf(subject, alone), rows)]
    given.forEach((logits, i) => {
      assertNear(logits, expected[i]!, 1e-6)
    })
    await assertLossFalls(subject, method, state, rows)
    disturb(state, /B\.weight$/)
    const frozen = new Map<string, Float32Array>()
    const form = dora(subject, p, (site, _roles, { weight }) => {
      if (!frozen.has(site.name)) frozen.set(site.name, rowNorms(site, directed(subject, site, state)))
      return constant(weight.graph, frozen.get(site.name)!, [site.out], 'float32')
    })
    await assertGradients(subject, method, state, rows, { pattern: /[AB]\.weight$|magnitude$/, form })
    const moving = { pattern: /self\.query\.A\.weight$/ }
    await assert.rejects(assertGradients(subject, method, state, rows, moving), /by differences/)
  })
}

test('DoRA is the model with the rows of W + s B A at length m', async () => {
  const subject = tinySubject()
  const method = dora(subject, 0)
  const state = startOf(subject, method)
  disturb(state, /B\.weight$|magnitude$/, 0.5)
  const scaled: Method = { ...alone, trains: ({ name }) => /(query|\d\.output\.dense)\.weight$/.test(name) }
  const merged = startOf(subject, scaled)
  for (const [name, { shape, data }] of merged) {
    const [out, columns] = shape as [number, number]
    const site = { kind: 'linear', name: name.slice(0, -'.weight'.length), layer: 0, role: 'down', in: columns, out, bias: true } as const
    const magnitude = state.get(`${site.name}.magnitude`)?.data
    if (!magnitude) continue
    const weight = directed(subject, site, state)
    const lengths = rowNorms(site, weight)
    data.set(weight.map((value, i) => (value * magnitude[Math.floor(i / columns)]!) / lengths[Math.floor(i / columns)]!))
  }
  const [given, expected] = [await logitsOf(subject, method, state, rows), await logitsOf(subject, scaled, merged, rows)]
  given.forEach((logits, i) => {
    assertNear(logits, expected[i]!, 1e-5)
  })
})
