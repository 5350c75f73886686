import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { balancedAssignment } from './assignment.ts'
import { largest } from './selection.ts'

type Rows = readonly (readonly number[])[]

/** The expert of each token. */
async function assign(scores: Rows, by = balancedAssignment): Promise<number[]> {
  const experts = scores[0]!.length
  const { chosen } = await compute({ scores: operand(scores) }, ({ scores: given }) => ({ chosen: by(given!) }))
  return scores.map((_, t) => {
    const row = chosen!.slice(t * experts, (t + 1) * experts)
    assert.deepEqual([...row].sort(), [...row.slice(1).map(() => 0), 1], 'one expert for each token')
    return row.indexOf(1)
  })
}

const total = (scores: Rows, experts: readonly number[]): number => experts.reduce((sum, e, t) => sum + scores[t]![e]!, 0)
const quotas = (n: number, experts: number): number[] =>
  Array.from({ length: experts }, (_, e) => Math.floor((n + experts - 1 - e) / experts))
const loads = (chosen: readonly number[], experts: number): number[] =>
  Array.from({ length: experts }, (_, e) => chosen.filter((one) => one === e).length)

/** The best balanced sum, by trying all. */
function best(scores: Rows, left = quotas(scores.length, scores[0]!.length)): number {
  const [row, ...rest] = scores
  if (!row) return 0
  return Math.max(...row.flatMap((score, e) => (left[e]! > 0 ? [score + best(rest, left.with(e, left[e]! - 1))] : [])))
}

test('tokens go to the experts in equal parts with the largest sum; by their largest scores all go to one', async () => {
  const scores = [
    [5, 4],
    [4, 0],
    [3, 0],
    [2, 1],
  ]
  const chosen = await assign(scores)
  assert.deepEqual(chosen, [1, 0, 0, 1])
  assert.equal(total(scores, chosen), 12)
  assert.deepEqual(await assign(scores, (x) => largest(x)), [0, 0, 0, 0])
})

const whole = (experts: number) =>
  fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: experts, maxLength: experts }), { minLength: 1, maxLength: 9 })

test('every assignment is balanced, whatever ties there are; with two experts it is the best one', async () => {
  for (const experts of [1, 2, 3, 5]) {
    await fc.assert(
      fc.asyncProperty(whole(experts), async (scores) => {
        const chosen = await assign(scores)
        assert.deepEqual(loads(chosen, experts), quotas(scores.length, experts))
        if (experts <= 2) assert.equal(total(scores, chosen), best(scores))
      }),
      { numRuns: 25 },
    )
  }
})

test('for scores without ties three and four experts have the best assignment, too', async () => {
  for (const experts of [3, 4]) {
    for (let trial = 0; trial < 12; trial++) {
      const data = normals(9 * experts, keyOf('assignment', experts, trial), { mean: 0, deviation: 1 })
      const scores = Array.from({ length: 9 }, (_, t) => Array.from(data.subarray(t * experts, (t + 1) * experts)))
      const chosen = await assign(scores)
      assert.deepEqual(loads(chosen, experts), quotas(9, experts))
      assert.ok(Math.abs(total(scores, chosen) - best(scores)) < 1e-9, `${experts} experts, trial ${trial}`)
    }
  }
})
