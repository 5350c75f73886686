import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Mask } from '../nn/masks.ts'
import type { Feeds } from '../runtime/session.ts'
import { dropoutFeeds } from './dropout-feeds.ts'

const masks: (Mask & { readonly p: number })[] = [
  { p: 0.1, size: '16*tokens' },
  { p: 0.3, size: '2*length*length*rows' },
  { p: 0.1, size: '16*tokens' },
  { p: 0.1, size: '32*tokens' },
]
const sizes = { tokens: 900, rows: 9, length: 120 }
const moment = { seed: 7, step: 11, microBatch: 2 }

/** The keep-bytes that each mask sees. */
function windows(feeds: Feeds, of = masks): Uint8Array[] {
  return of.map(({ p }, i) => {
    const bytes = feeds[`dropout.${p}`]!.data as Uint8Array
    return bytes.subarray(feeds['dropout.start']!.data[i]!, feeds['dropout.end']!.data[i]!)
  })
}

test('each mask keeps a share of 1 - p of its elements', () => {
  windows(dropoutFeeds(masks, sizes, moment)).forEach((window, i) => {
    const { p } = masks[i]!
    assert.equal(window.length, [14400, 259200, 14400, 28800][i])
    const dropped = window.reduce((sum, byte) => sum + 1 - byte, 0)
    assert.ok(
      Math.abs(dropped - p * window.length) < 5 * Math.sqrt(p * (1 - p) * window.length),
      `mask ${i}: ${dropped} of ${window.length}`,
    )
  })
})

test('two masks of one size and probability differ as independent ones would', () => {
  const [one, , two] = windows(dropoutFeeds(masks, sizes, moment))
  const differing = one!.filter((byte, i) => byte !== two![i]).length / one!.length
  assert.ok(Math.abs(differing - 2 * 0.1 * 0.9) < 0.02, String(differing))
})

test('masks are a pure function of seed, step and micro-batch', () => {
  const feeds = dropoutFeeds(masks, sizes, moment)
  assert.deepEqual(dropoutFeeds(masks, sizes, { ...moment }), feeds)
  for (const change of [{ seed: 8 }, { step: 12 }, { microBatch: 3 }]) {
    const other = dropoutFeeds(masks, sizes, { ...moment, ...change })
    windows(feeds).forEach((window, i) => {
      assert.notDeepEqual(windows(other)[i], window)
    })
    for (const name of ['dropout.start', 'dropout.0.1', 'dropout.0.3']) assert.notDeepEqual(other[name], feeds[name])
  }
})

test('windows lie inside pools that are at least twice as long, whatever the sizes', () => {
  fc.assert(
    fc.property(
      fc.record({ tokens: fc.integer({ min: 1, max: 40 }), rows: fc.integer({ min: 1, max: 5 }), length: fc.integer({ min: 1, max: 12 }) }),
      fc.nat(1000),
      (given, step) => {
        const feeds = dropoutFeeds(masks, given, { ...moment, step })
        windows(feeds).forEach((window, i) => {
          const expected = [16 * given.tokens, 2 * given.length ** 2 * given.rows, 16 * given.tokens, 32 * given.tokens][i]!
          assert.equal(window.length, expected)
          assert.ok(feeds[`dropout.${masks[i]!.p}`]!.data.length >= 2 * expected)
          assert.ok(feeds['dropout.start']!.data[i]! >= 0)
        })
      },
    ),
    { numRuns: 50 },
  )
})

test('windows reach every place of the pool', () => {
  const small: Mask[] = [{ p: 0.5, size: 4 }]
  const starts = new Set(Array.from({ length: 200 }, (_, step) => dropoutFeeds(small, {}, { ...moment, step })['dropout.start']!.data[0]))
  assert.deepEqual([...starts].sort(), [0, 1, 2, 3, 4])
})

test('without masks nothing is fed', () => {
  assert.deepEqual(dropoutFeeds([], sizes, moment), {})
})
