import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LinearSite } from './site.ts'
import { linearNames, readLinear, writeLinear } from './stored-linear.ts'

const shapes = fc.record({
  in: fc.integer({ min: 1, max: 4 }),
  out: fc.integer({ min: 1, max: 4 }),
  parts: fc.integer({ min: 1, max: 3 }),
  transposed: fc.boolean(),
})
const counted = (length: number, from: number): Float32Array => Float32Array.from({ length }, (_, i) => from + i)

test('each part of a stored map is read and written in its own place', () => {
  fc.assert(
    fc.property(shapes, ({ in: inner, out, parts, transposed }) => {
      const [weight, bias] = [counted(inner * out * parts, 1), counted(out * parts, 1000)]
      const site = (part: number): LinearSite => ({
        ...{ kind: 'linear', name: `whole.${part}`, layer: 0, role: 'query', in: inner, out, bias: true },
        stored: { module: 'whole', transposed, part, parts },
      })
      for (let part = 0; part < parts; part++) {
        assert.deepEqual(linearNames(site(part)), { weight: 'whole.weight', bias: 'whole.bias' })
        const read = readLinear(site(part), weight, bias)
        // Row i of the part is output part * out + i of the whole.
        for (let i = 0; i < out; i++) {
          for (let j = 0; j < inner; j++) {
            const output = part * out + i
            const at = transposed ? j * out * parts + output : output * inner + j
            assert.equal(read.weight[i * inner + j], weight[at])
          }
          assert.equal(read.bias![i], bias[part * out + i])
        }
        const written = writeLinear(site(part), { weight: read.weight.map((x) => -x), bias: read.bias!.map((x) => -x) }, { weight, bias })
        assert.deepEqual(written.weight.shape, transposed ? [inner, out * parts] : [out * parts, inner])
        const changed = written.weight.data.filter((value, i) => value !== weight[i])
        assert.equal(changed.length, read.weight.length)
        assert.deepEqual(
          [...readLinear(site(part), written.weight.data, written.bias!.data).weight],
          [...read.weight].map((x) => -x),
        )
      }
    }),
  )
})
