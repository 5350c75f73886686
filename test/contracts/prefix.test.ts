import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack } from '../../src/data/pack.ts'
import { assemble, type Subject } from '../../src/evaluate/assembly.ts'
import { streamFeeds } from '../../src/evaluate/stream-feeds.ts'
import { product, type Shape } from '../../src/graph/dim.ts'
import { constant, output, type Value } from '../../src/graph/graph.ts'
import { concat, expand, reshape, transpose } from '../../src/graph/ops/movement.ts'
import { normal, zeros } from '../../src/methods/initial.ts'
import type { Method, ParameterSpec } from '../../src/nn/method.ts'
import { openSession } from '../../src/runtime/node.ts'
import { assertNear, example, rows, tinySubject } from '../behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, plain, startOf } from './trial.ts'

const slots = 3

/** Prefix tuning (Li and Liang 2021), flat: learned keys and values, `[slots, heads * headSize]`, before those of each row. */
const prefix: Method = {
  ...plain,
  name: 'prefix',
  sequence: { virtualTokens: 0, positionShift: slots },
  parameters(site): Record<string, ParameterSpec> {
    if (site.kind !== 'keyValue') return {}
    const shape = [slots, site.heads * site.headSize]
    return { key: { shape, init: normal(shape, 1) }, value: { shape, init: normal(shape, 1) } }
  },
  keyValue({ heads, headSize }, roles, { key, value, mask }) {
    const before = (learned: Value, own: Value): Value => {
      const byHead = transpose(reshape(learned, [1, slots, heads, headSize]), [0, 2, 1, 3])
      return concat([expand(byHead, [own.shape[0]!, heads, slots, headSize]), own], 2)
    }
    const attended: Shape = [...mask.shape.slice(0, 3), slots]
    const open = expand(constant(mask.graph, [0], [1, 1, 1, 1], mask.dtype), attended)
    return { key: before(roles.key!, key), value: before(roles.value!, value), mask: concat([open, mask], 3) }
  },
}

/** What every attention of the frozen model attends to, by site and role, `[length, heads * headSize]`, for one row. */
async function attended(subject: Subject, row: (typeof rows)[number]): Promise<Map<string, number[][]>> {
  const shapes = new Map<string, Shape>()
  const spy: Method = {
    ...plain,
    name: 'spy',
    parameters: (site): Record<string, ParameterSpec> => (site.kind === 'keyValue' ? { none: { shape: [1], init: zeros([1]) } } : {}),
    keyValue(site, _roles, call) {
      for (const role of ['key', 'value'] as const) {
        const flat = transpose(call[role], [0, 2, 1, 3])
        const name = `${site.name}.${role}`
        shapes.set(name, flat.shape)
        output(flat.graph, name, reshape(flat, [product(flat.shape.slice(0, 2)), site.heads * site.headSize]))
      }
      return call
    },
  }
  const { network } = assemble(subject, { method: spy, training: false, trains: () => false })
  const session = await openSession(network.graph)
  const results = await session.run({
    ...streamFeeds(pack([row], subject.model.wiring.positions)),
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
    const state = startOf(subject, prefix)
    await assertLossFalls(subject, prefix, state, rows, 0.3)
    await assertGradients(subject, prefix, state, rows, { pattern: /attention\.self\.(key|value)$/ })
  })

  test(`a prefix of the keys and values of real tokens is ${name} on a row with these tokens`, async () => {
    const subject = tinySubject(fields)
    const state = startOf(subject, prefix)
    const [row, words] = [rows[1]!, example(slots, 0, 5)]
    // At the end of the row, so that positions stay; to attention their place is all one.
    const longer = {
      ...row,
      ids: Int32Array.from([...row.ids, ...words.ids]),
      types: Int32Array.from([...row.types, ...words.types]),
      mask: Uint8Array.from([...row.mask, ...words.mask]),
    }
    for (const [role, values] of await attended(subject, longer)) state.get(role)!.data.set(values.slice(row.ids.length).flat())
    const expected = (await logitsOf(subject, alone, startOf(subject, alone), [longer]))[0]!
    const given = await logitsOf(subject, prefix, state, [row, rows[0]!, rows[4]!])
    assertNear(given[0]!, expected, 1e-5)
    assert.throws(() => assertNear(given[1]!, expected, 1e-3))
  })
}
