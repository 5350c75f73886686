import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compute } from '../../test/behaviour/small-graph.ts'
import { assertNear, prepare, rows, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { assertGradients, assertLossFalls, logitsOf, startOf } from '../../test/contracts/trial.ts'
import { backward } from '../autodiff/backward.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { deployed } from '../nn/method.ts'
import { inGraph, onHost } from './algebra.ts'
import { prompt } from './prompt.ts'
import { promptEncoders } from './prompt-encoder.ts'

interface Numbers {
  readonly shape: number[]
  readonly data: number[]
}

/** An encoder of HF PEFT: its parameters, what it makes of them, and gradients of the sum of its rows times `upstream`. */
interface Reference {
  readonly tokens: number
  readonly hidden: number
  readonly width: number
  readonly depth: number
  readonly parameters: Readonly<Record<string, Numbers>>
  readonly rows: Numbers
  readonly upstream: Numbers
  readonly gradients: Readonly<Record<string, Numbers>>
}

const golden: Record<keyof typeof promptEncoders, Reference> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../test/golden/prompt-encoder.json'), 'utf8'),
)

for (const [kind, given] of Object.entries(golden)) {
  const encoder = promptEncoders[kind as keyof typeof promptEncoders]

  test(`the ${kind} has the shapes, rows and gradients of torch, in the graph and on the host`, async () => {
    const { 'tokens.weight': tokens, ...others } = given.parameters
    const shapes = Object.entries(encoder.parameters(given)).map(([role, { shape }]) => [role, shape])
    assert.deepEqual(Object.fromEntries(shapes), Object.fromEntries(Object.entries(others).map(([role, { shape }]) => [role, shape])))
    const host = Object.fromEntries(
      Object.entries(given.parameters).map(([role, { shape, data }]) => [role, { shape, data: Float32Array.from(data) }]),
    )
    assertNear(encoder.encode(onHost, host, host['tokens.weight']!, given).data, given.rows.data, 1e-6)
    const found = await compute({ ...given.parameters, upstream: given.upstream }, ({ upstream, ...roles }) => {
      const made = encoder.encode(inGraph, roles, roles['tokens.weight']!, given)
      const slopes = backward(reduceSum(mul(made, upstream!)), Object.values(roles))
      return { rows: made, ...Object.fromEntries(Object.keys(roles).map((role, i) => [role, slopes[i]!])) }
    })
    assertNear(found.rows!, given.rows.data, 1e-6)
    for (const [role, { data }] of Object.entries(given.gradients)) assertNear(found[role]!, data, 1e-6, role)
    assert.equal(Object.keys(found).length, Object.keys(given.gradients).length + 1)
    assert.equal(tokens!.shape[0], given.tokens)
  })

  test(`P-tuning by an ${kind} learns with the right gradients and leaves virtual tokens that answer alike`, async () => {
    const subject = tinySubject()
    const { method } = prepare(subject, prompt, { tokens: 3, encoder: kind, width: 5 })
    const state = startOf(subject, method)
    await assertLossFalls(subject, method, state, rows)
    await assertGradients(subject, method, state, rows, { pattern: /shared\.output/ })
    const plain = deployed(method, state)
    assert.deepEqual([...plain.state.keys()], ['bert.embeddings.word_embeddings.prompt.weight'])
    const [left, own] = [await logitsOf(subject, plain.method, new Map(plain.state), rows), await logitsOf(subject, method, state, rows)]
    left.forEach((logits, i) => {
      assertNear(logits, own[i]!, 1e-5)
    })
  })
}
