import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { RunConfig } from '../config/run-config.ts'
import { type ComparisonEvent, runTrials, type SizedTrial } from './run-trials.ts'

const sized = (id: number, bytes: number): SizedTrial => ({
  trial: { id: `t${id}`, arm: 'a', seed: 1, times: null, run: {} as RunConfig, inference: 'merged', like: null },
  resamples: 100,
  bytes,
})

/** Runs trials that take a few turns of the event loop; tells what was at work at any time. */
async function scheduled(bytes: readonly number[], workers: number, memoryBytes: number) {
  const trials = bytes.map((each, i) => sized(i, each))
  const atWork: string[][] = []
  const now = new Set<string>()
  const begun: string[] = []
  await runTrials(trials, {
    ...{ out: 'out', workers, memoryBytes, stopRequested: () => false },
    tell(event) {
      if (event.kind === 'begin') begun.push(event.trial.id)
    },
    async run({ folder }) {
      const id = folder.split(/[\\/]/).at(-1)!
      now.add(id)
      atWork.push([...now])
      await sleep(id.length % 3)
      now.delete(id)
      return { kind: 'ended' }
    },
  })
  return { atWork, begun }
}

test('every trial runs once, in order, never more than there are workers and memory for unless one alone is too large', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 20 }), async (bytes, workers, memory) => {
      const { atWork, begun } = await scheduled(bytes, workers, memory)
      assert.deepEqual(
        begun,
        bytes.map((_, i) => `t${i}`),
      )
      for (const ids of atWork) {
        const used = ids.reduce((sum, id) => sum + bytes[Number(id.slice(1))]!, 0)
        assert.ok(ids.length === 1 || (ids.length <= workers && used <= memory), `${ids} use ${used}`)
      }
    }),
    { numRuns: 40 },
  )
})

test('what fits runs side by side', async () => {
  const { atWork } = await scheduled([1, 1, 1, 1], 3, 10)
  assert.equal(Math.max(...atWork.map((ids) => ids.length)), 3)
})

test('a failure keeps no other from running, and after a stop none is begun', async () => {
  const told: ComparisonEvent[] = []
  let stop = false
  const tell = (event: ComparisonEvent): void => void told.push(event)
  const common = { out: 'out', workers: 1, memoryBytes: 10, tell, stopRequested: () => stop }
  await runTrials([sized(0, 1), sized(1, 1)], { ...common, run: async () => ({ kind: 'failed', message: 'because' }) })
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['begin', 'failed', 'begin', 'failed'],
  )
  told.length = 0
  await runTrials([sized(0, 1), sized(1, 1)], {
    ...common,
    async run() {
      stop = true
      return { kind: 'stopped' }
    },
  })
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['begin', 'stopped'],
  )
  // A deadline passes between one question and the next.
  let asked = 0
  await runTrials([sized(0, 1)], { ...common, stopRequested: () => ++asked % 2 === 0, run: async () => ({ kind: 'ended' }) })
})
