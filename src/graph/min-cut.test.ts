import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Arc, sourceSide } from './min-cut.ts'

const vertices = 6
const [source, sink] = [0, vertices - 1]
const vertex = fc.integer({ min: 0, max: vertices - 1 })
const network = fc.array(fc.record({ from: vertex, to: vertex, capacity: fc.integer({ min: 0, max: 9 }) }), { maxLength: 16 })

const crossing = (arcs: readonly Arc[], side: ReadonlySet<number>): number =>
  arcs.reduce((sum, { from, to, capacity }) => (side.has(from) && !side.has(to) ? sum + capacity : sum), 0)

test('no set of vertices with the source has less going out, and none of as much has fewer vertices', () => {
  const inner = Array.from({ length: 2 ** (vertices - 2) }, (_, bits) =>
    Array.from({ length: vertices - 2 }, (_, i) => i + 1).filter((i) => (bits >> (i - 1)) & 1),
  )
  fc.assert(
    fc.property(network, (arcs) => {
      const side = sourceSide(arcs, source, sink)
      assert.ok(side.has(source) && !side.has(sink))
      for (const others of inner) {
        const other = new Set([source, ...others])
        const [ours, theirs] = [crossing(arcs, side), crossing(arcs, other)]
        assert.ok(ours < theirs || (ours === theirs && side.size <= other.size), `${[...side]} has ${ours}, ${[...other]} has ${theirs}`)
      }
    }),
  )
})

test('arcs without a limit are never cut', () => {
  const side = sourceSide(
    [
      { from: 0, to: 1, capacity: Infinity },
      { from: 1, to: 2, capacity: 5 },
      { from: 1, to: 3, capacity: 2 },
      { from: 3, to: 2, capacity: Infinity },
    ],
    0,
    2,
  )
  assert.deepEqual([...side].sort(), [0, 1])
})
