import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mean } from '../metrics/moments.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { armsOf } from './arms.ts'
import { parseComparison } from './comparison-file.ts'
import { resampledMetrics, type Scores } from './judgement.ts'
import { type ArmResults, type Summary, summarise } from './summary.ts'
import { armRows, differenceRows } from './summary-tables.ts'
import { trialOf } from './trial.ts'
import type { TrialResult } from './trial-result.ts'

const ROWS = 300
const seeds = [1, 2, 3]
const run = { model: 'm', task: 'sequence-classification', data: { train: 't.jsonl', eval: 'e.jsonl' } }
const comparison = (rest: object = {}) =>
  parseComparison({ run, axes: { method: ['lora', 'adalora', 'bitfit'], 'train.seed': seeds }, resamples: 400, ...rest }, 'test')

/** Rows that are answered right where a number, in part common to all models, lies below a skill. */
function answers(arm: string, seed: number, skill: number): number[] {
  const [common, own] = [keyOf('common'), keyOf('own', arm, seed)].map((key) => normals(ROWS, key, { mean: 0, deviation: 1 }))
  return Array.from(common!, (value, i) => Number(value + 0.3 * own![i]! < skill))
}

function scoresOf(rows: readonly number[]): Scores {
  return { step: 30, ...resampledMetrics(rows, (some) => ({ accuracy: mean(some), loss: 1 - mean(some) }), 400) }
}

/** Results of arms whose models have the given skills. */
function results(skills: Readonly<Record<string, number>>, digest = (seed: number) => `rows of ${seed}`, of = comparison()): ArmResults[] {
  return armsOf(of).arms.map((arm) => ({
    arm: { ...arm, learningRate: 0.001, tried: [] },
    results: seeds.map((seed): TrialResult => {
      const scores = scoresOf(answers(arm.name, seed, skills[arm.name]!))
      const reached = scores.metrics.accuracy!
      return {
        trial: trialOf(arm, arm.run, seed, 0.001),
        judgement: {
          rows: ROWS,
          digest: digest(seed),
          of: 'eval',
          texts: null,
          metric: 'accuracy',
          resamples: 400,
          last: scores,
          best: scores,
        },
        took: {
          base: 100,
          head: 2,
          trained: 10,
          merged: 5,
          steps: 30,
          tokens: 1,
          trainFlops: 300,
          seconds: 1,
          cpuSeconds: 1,
          peakMemoryBytes: 9,
          adapterBytes: 7,
        },
        evaluations: [10, 20, 30].map((step) => ({ step, flops: 10 * step, metrics: { accuracy: (reached * step) / 30 } })),
        losses: [],
        ranks: null,
        routes: [],
      }
    }),
  }))
}

const summary = (skills: Readonly<Record<string, number>>, rest: object = {}) =>
  summarise(comparison(rest), armsOf(comparison(rest)), results(skills))

test('what is better is told so, what is worse too, and what is neither cannot be told', () => {
  const { differences, arms } = summary({ lora: 0.5, adalora: 0.9, bitfit: 0.5 })
  assert.deepEqual(
    differences.map(({ arm, against, verdict }) => [arm, against, verdict]),
    [
      ['adalora', 'lora', 'better'],
      ['bitfit', 'lora', 'cannot be told'],
    ],
  )
  const [better] = differences
  assert.ok(better!.interval!.low > 0 && better!.interval!.low < better!.difference && better!.difference < better!.interval!.high)
  assert.ok(better!.adjusted! >= better!.p!)
  for (const { last } of arms) assert.ok(last.interval!.low <= last.mean && last.mean <= last.interval!.high && last.deviation! > 0)
  assert.equal(summary({ lora: 0.5, adalora: 0.1, bitfit: 0.5 }).differences[0]!.verdict, 'worse')
})

test('of a loss the lower one is better', () => {
  assert.equal(summary({ lora: 0.5, adalora: 0.9, bitfit: 0.5 }, { metric: 'loss' }).differences[0]!.verdict, 'better')
})

test('every arm is beaten or not in turn: differences change their sign with the arm that is called plain', () => {
  const skills = { lora: 0.5, adalora: 0.8, bitfit: 0.2 }
  const here = summary(skills).differences.find(({ arm }) => arm === 'adalora')!
  const there = summary(skills, { plain: 'adalora' }).differences.find(({ arm }) => arm === 'lora')!
  assert.ok(Math.abs(here.difference + there.difference) < 1e-12)
  assert.ok(Math.abs(here.interval!.low + there.interval!.high) < 1e-12)
  assert.equal(here.p, there.p)
})

test("steps to the plain method's best are those of the first evaluation that has it", () => {
  // The evaluations rise in a line to the last score, so the one at update 20 has two thirds of it.
  const { differences } = summary({ lora: -0.3, adalora: 3, bitfit: -3 })
  const [ada, bitfit] = differences
  assert.deepEqual(ada!.toPlain, { reached: 3, of: 3, steps: 20, flops: 200 })
  assert.deepEqual(bitfit!.toPlain, { reached: 0, of: 3, steps: null, flops: null })
})

test("scores of a task that tells percent are written as they are, others' times a hundred", () => {
  const skills = { lora: 0.5, adalora: 0.9, bitfit: 0.5 }
  const asked = comparison({ run: { ...run, task: 'question-answering' } })
  const inPercent = summarise(asked, armsOf(asked), results(skills, undefined, asked))
  const shares = summary(skills)
  const cells = (of: Summary): string[] => [armRows(of)[1]![5]!, differenceRows(of)[1]![2]!]
  for (const cell of cells(inPercent)) assert.match(cell, /^\+?0\.\d+/)
  for (const cell of cells(shares)) assert.match(cell, /^\+?[1-9]\d\.\d/)
})

test('trials that answered other rows are not compared', () => {
  const all = results({ lora: 0, adalora: 0, bitfit: 0 })
  const other = results({ lora: 0, adalora: 0, bitfit: 0 }, () => 'others')
  assert.throws(
    () => summarise(comparison(), armsOf(comparison()), [all[0]!, other[1]!, all[2]!]),
    /adalora-seed-1-\w+ and lora-seed-1-\w+ answered other rows/,
  )
})
