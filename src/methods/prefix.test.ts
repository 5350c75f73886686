import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNear, example, rows, settingOf, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, plain, startOf } from '../../test/contracts/trial.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { assemble, type Subject } from '../evaluate/assembly.ts'
import { streamFeeds } from '../evaluate/stream-feeds.ts'
import { product, type Shape } from '../graph/dim.ts'
import { output } from '../graph/graph.ts'
import { reshape, transpose } from '../graph/ops/movement.ts'
import type { Method, ParameterSpec } from '../nn/method.ts'
import { openSession } from '../runtime/node.ts'
import { zeros } from './initial.ts'
import { prefix, prefixOptions } from './prefix.ts'

const slots = 3
const make = (subject: Subject, given: Record<string, unknown> = {}): Method =>
  prefix.create(prefixOptions.parse({ name: 'prefix', tokens: slots, ...given }), settingOf(subject))
/** The model alone, its rows at the positions that a prefix leaves them. */
const shifted: Method = { ...alone, sequence: { virtualTokens: 0, positionShift: slots } }

/** What every attention of the frozen model attends to, by site and role, `[length, heads * headSize]`, for one row. */
async function attended(subject: Subject, row: (typeof rows)[number]): Promise<Map<string, number[][]>> {
  const shapes = new Map<string, Shape>()
  const spy: Method = {
    ...plain,
    name: 'spy',
    sequence: shifted.sequence!,
    parameters: (site): Record<string, ParameterSpec> => (site.kind === 'keyValue' ? { none: { shape: [1], init: zeros([1]) } } : {}),
    keyValue(site, _roles, call) {
      for (const role of ['key', 'value'] as const) {
        const flat = transpose(call[role], [0, 2, 1, 3])
        const name = `${site.name}.prefix.${role}`
        shapes.set(name, flat.shape)
        output(flat.graph, name, reshape(flat, [product(flat.shape.slice(0, 2)), site.heads * site.headSize]))
      }
      return call
    },
  }
  const { network } = assemble(subject, { method: spy, training: false, trains: () => false })
  const session = await openSession(network.graph)
  const results = await session.run({
    ...streamFeeds(arrangement(subject, spy).batch([row])),
    ...Object.fromEntries(startOf(subject, spy)),
  })
  await session.close()
  return new Map(
    [...shapes.keys()].map((name) => {
      const { data, shape } = results[name]!
      const width = shape[1]!
      return [name, Array.from({ length: shape[0]! }, (_, i) => Array.from(data.slice(i * width, (i + 1) * width)))]
    }),
  )
}

const kinds = { BERT: {}, RoBERTa: { model_type: 'roberta', pad_token_id: 1 } }
for (const [name, fields] of Object.entries(kinds)) {
  test(`prefix tuning on ${name}, with dropout of attention, learns and has the right gradients`, async () => {
    const subject = tinySubject({ ...fields, attention_probs_dropout_prob: 0.1 })
    for (const projection of [false, true]) {
      const method = make(subject, { projection, width: 4 })
      const state = startOf(subject, method)
      await assertLossFalls(subject, method, state, rows, projection ? 0.03 : 0.3)
      await assertGradients(subject, method, state, rows, { pattern: projection ? /^shared\./ : /prefix\.(key|value)$/ })
    }
  })

  test(`a prefix of the keys and values of real tokens is ${name} on a row with these tokens`, async () => {
    const subject = tinySubject(fields)
    const method = make(subject)
    const state = startOf(subject, method)
    const [row, words] = [rows[1]!, example(slots, 0, 5)]
    // At the end of the row, so that positions stay; to attention their place is all one.
    const longer = {
      ...row,
      ids: Int32Array.from([...row.ids, ...words.ids]),
      types: Int32Array.from([...row.types, ...words.types]),
      mask: Uint8Array.from([...row.mask, ...words.mask]),
    }
    for (const [role, values] of await attended(subject, longer)) state.get(role)!.data.set(values.slice(row.ids.length).flat())
    const expected = (await logitsOf(subject, shifted, startOf(subject, alone), [longer]))[0]!
    const given = await logitsOf(subject, method, state, [row, rows[0]!, rows[4]!])
    assertNear(given[0]!, expected, 1e-5)
    assert.throws(() => assertNear(given[1]!, expected, 1e-3))
  })
}

test('the method that is saved of a network trains the keys and values that it leaves', () => {
  const subject = tinySubject()
  const options = prefixOptions.parse({ name: 'prefix', tokens: slots, projection: true, width: 5 })
  const saved = prefixOptions.parse(prefix.plain!({ options, memory: null }).options)
  const trained = startOf(subject, make(subject, saved))
  const left = make(subject, options).deploy!(startOf(subject, make(subject, options))).state
  for (const [name, { shape }] of left) assert.deepEqual(trained.get(name)?.shape, shape, name)
})

test('keys and values from the network are those that it leaves', async () => {
  const subject = tinySubject()
  const method = make(subject, { projection: true, width: 5 })
  const state = startOf(subject, method)
  const left = method.deploy!(state)
  assert.deepEqual(
    [...left.state.keys()].sort(),
    [0, 1].flatMap((layer) => ['key', 'value'].map((role) => `bert.encoder.layer.${layer}.attention.self.prefix.${role}`)),
  )
  const [given, expected] = [await logitsOf(subject, left.method, new Map(left.state), rows), await logitsOf(subject, method, state, rows)]
  given.forEach((logits, i) => {
    assertNear(logits, expected[i]!, 1e-5)
  })
})
