import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryTold } from '../../bench/memory/report.ts'
import { powerLaw } from '../../bench/scaling/power-law.ts'
import { scalingTold } from '../../bench/scaling/report.ts'
import { kernelsIn } from '../../bench/shares/profile.ts'
import { sharesTold } from '../../bench/shares/report.ts'
import { startTold } from '../../bench/start/report.ts'
import { cases } from '../../bench/steps/cases.ts'
import { spread } from '../../bench/steps/numbers.ts'
import { stepTold } from '../../bench/steps/report.ts'
import { performanceDrawings, performanceText } from '../../reference/performance.ts'
import { createGraph, input, output } from '../../src/graph/graph.ts'
import { mul } from '../../src/graph/ops/elementwise.ts'
import { batchedMatmul, gemm } from '../../src/graph/ops/matmul.ts'
import { openSession } from '../../src/runtime/node.ts'
import { repository } from '../cli/project.ts'
import { document } from './documents.ts'

test('the drawings of the performance are those that the results make: npm run docs', () => {
  const drawings = performanceDrawings()
  assert.deepEqual(readdirSync(join(repository, 'docs/performance')).sort(), Object.keys(drawings).sort())
  for (const [name, drawing] of Object.entries(drawings)) assert.equal(document(`docs/performance/${name}`), drawing, name)
})

/** The cells of the rows of a text's tables that begin with these. */
const rowsOf = (text: string, ...first: string[]): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1))
    .filter((cells) => first.every((cell, i) => cells[i] === cell))

const measured = {
  machine: { processor: 'P', cores: 2, memoryGB: 8 },
  versions: { node: 'v1' },
  commit: 'abc',
  date: '2026-01-02',
  command: 'npm run bench -- step lora-qv',
}

test('goals that nobody measured are told with the command that does', () => {
  const text = performanceText([stepTold({}), memoryTold({}), startTold({}), scalingTold({})])
  for (const [name, { figures }] of Object.entries(cases)) {
    for (const { name: figure, most } of figures) {
      const rows = rowsOf(text, name, figure)
      assert.deepEqual(rows, most === null ? [] : [[name, figure, 'not measured', `<= ${most}`, '']])
    }
    assert.match(text, new RegExp(`Not measured yet: \`npm run bench -- step [^\`]*\\b${name}\\b`))
  }
  assert.match(text, /Not measured yet: `npm run bench -- memory minilm-rte /)
  assert.match(text, /Not measured yet: `npm run bench -- start`/)
  assert.match(text, /Not measured yet: `npm run bench -- scaling rows length layers width rank experts`/)
  assert.deepEqual(performanceDrawings([stepTold({}), memoryTold({}), startTold({}), scalingTold({})]), {})
})

test('what was measured without HF PEFT is still missing where a goal compares with it', () => {
  const { commit: _, ...old } = measured
  const alone = { about: '', settings: {}, sides: {}, productRates: [], loads: [], figures: [], ...old }
  const text = performanceText([
    stepTold({ 'lora-qv, 2 threads': alone, 'minilm-mrpc, 2 threads': alone }),
    startTold({
      '2 threads': { secondsToFirstUpdate: [{ ours: 1, torch: null, load: 0 }], installedMB: { ours: 2, torch: null }, ...old },
    }),
  ])
  assert.match(text, /Not measured yet: `npm run bench -- step lora-qv lora-qv-no-dropout /)
  assert.match(text, /Not measured yet: `npm run bench -- start`/)
  // It has no goal.
  assert.doesNotMatch(text, /bench -- step .*minilm-mrpc[^-]/)
})

test('figures stand beside their goals, with where and when they were measured', () => {
  const figures = [
    { name: 'float32 step', ratio: spread([0.9, 0.8, 1.2]) },
    { name: 'int8 step', ratio: spread([0.5, 0.6, 0.7]) },
  ]
  const result = { about: '', settings: {}, sides: {}, productRates: [], loads: [], figures, ...measured }
  const { commit: _, date: _date, ...old } = measured
  const start = { secondsToFirstUpdate: [{ ours: 1, torch: 8, load: 0 }], installedMB: { ours: 2, torch: 10 }, ...old, command: 'c' }
  const told = [stepTold({ 'lora-qv, 2 threads': result }), startTold({ '1 threads': start })]
  const text = performanceText(told)
  assert.deepEqual(rowsOf(text, 'lora-qv, 2 threads', 'float32 step'), [
    ['lora-qv, 2 threads', 'float32 step', '0.900 (0.800-1.20)', '<= 1', 'yes'],
  ])
  assert.equal(rowsOf(text, 'lora-qv, 2 threads', 'int8 step')[0]!.at(-1), 'no')
  assert.deepEqual(rowsOf(text, 'seconds from the command to the first update')[0]!.slice(2), ['1.00', '8.00', '0.125', '<= 0.15', 'yes'])
  assert.equal(rowsOf(text, 'installed MB')[0]!.at(-1), 'no')
  assert.match(text, /^P, 2 cores, 8 GB; node v1:$/m)
  assert.deepEqual(rowsOf(text, 'lora-qv, 2 threads', '2026-01-02'), [
    ['lora-qv, 2 threads', '2026-01-02', 'abc', '`npm run bench -- step lora-qv`'],
  ])
  assert.deepEqual(rowsOf(text, 'start, 1 threads'), [['start, 1 threads', 'not kept', 'not kept', '`c`']])
  assert.deepEqual(Object.keys(performanceDrawings(told)), ['steps.svg', 'start.svg'])
})

test("a profile's kernels are told by what they do, for each update", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'shares-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const graph = createGraph()
  const [x, rank, heads, passes] = [
    [64, 96],
    [96, 8],
    [1, 2, 8, 16],
    [2, 8, 96],
  ].map((shape, i) => input(graph, `x${i}`, 'float32', shape))
  output(graph, 'large', gemm(x!, x!, null, { transposeB: true }))
  output(graph, 'narrow', mul(gemm(x!, rank!), 2))
  output(graph, 'scores', batchedMatmul(heads!, heads!, { transposeB: true }))
  output(graph, 'lanes', batchedMatmul(passes!, passes!, { transposeB: true }))
  const session = await openSession(graph, { profile: join(folder, 'profile') })
  const feeds = Object.fromEntries(
    [...graph.inputs].map(([name, { shape }]) => {
      const sizes = shape as number[]
      return [name, { shape: sizes, data: new Float32Array(sizes.reduce((size, dim) => size * dim)).fill(1) }]
    }),
  )
  for (let run = 0; run < 2; run++) await session.run(feeds)
  await session.close()
  const { byKind, byOperator } = kernelsIn(folder, 2)
  const taken = Object.entries(byKind).flatMap(([kind, ms]) => (ms > 0 ? [kind] : []))
  assert.deepEqual(taken, ['large products', 'narrow products', "attention's products", 'multiplications'])
  assert.deepEqual(Object.keys(byOperator).sort(), ['FusedMatMul', 'Gemm', 'Mul'])
  // Those of a mixture's passes are no attention's.
  assert.ok(byKind["attention's products"] < byOperator.FusedMatMul!)
  const whole = kernelsIn(folder, 1)
  assert.ok(Math.abs(whole.byOperator.Gemm! / byOperator.Gemm! - 2) < 1e-9)

  // The first run of a kernel, in memory that was never touched, says nothing of the others.
  const args = { op_name: 'Add', input_type_shape: [], output_type_shape: [] }
  const runs = [9000, 20, 10].map((dur) => ({ cat: 'Node', name: 'n1_kernel_time', dur, args }))
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  writeFileSync(join(folder, 'profile.json'), JSON.stringify([{ cat: 'Session', name: 'model_run', dur: 9999 }, ...runs]))
  assert.deepEqual(kernelsIn(folder, 3).byOperator, { Add: 0.02 })

  const told = sharesTold({ 'lora-linears, 2 threads': { sides: { float32: { byKind, byOperator } }, ...measured } })
  const [shares] = rowsOf(told.text, 'lora-linears, 2 threads', 'float32')
  assert.ok(Math.abs(shares!.slice(3).reduce((sum, percent) => sum + Number(percent), 0) - 100) < 0.5)
  assert.deepEqual(told.missing, ['npm run bench -- shares full adamix adamix-no-dropout minilm-mrpc'])
})

test('a power law is found in its points, and the nearest one in others', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.double({ min: -2, max: 3, noNaN: true }), (factor, exponent) => {
      const law = powerLaw([1, 2, 4, 7].map((x) => ({ x, y: factor * x ** exponent })))!
      assert.ok(Math.abs(law.exponent - exponent) < 1e-9)
      assert.ok(Math.abs(law.at(3) / (factor * 3 ** exponent) - 1) < 1e-9)
    }),
  )
  // The line nearest to (0, 0), (1, 1), (2, 1) has slope 1/2 and explains 3/4 of the variance.
  const e = Math.E
  const law = powerLaw([
    { x: 1, y: 1 },
    { x: e, y: e },
    { x: e * e, y: e },
  ])!
  assert.ok(Math.abs(law.exponent - 0.5) < 1e-12 && Math.abs(law.explained - 0.75) < 1e-12)
  assert.equal(powerLaw([{ x: 1, y: 1 }]), null)
  assert.equal(
    powerLaw([
      { x: 1, y: 0 },
      { x: 2, y: 1 },
    ]),
    null,
  )
})

test('an axis is told by its exponents: tokens take time in proportion, layers memory by the square root', () => {
  const round = { minMs: 1, maxMs: 1, totalMs: 1, medianCpuMs: 1, tokensPerSecond: 1, readyMB: 10, firstLoss: 0 }
  const point = { rows: 16, length: 128, layers: 4, width: 256, rank: 8, experts: null }
  const taken = (axis: 'rows' | 'layers', value: number, medianMs: number, peakMB: number) =>
    [
      `${axis} ${value}, 2 threads`,
      {
        axis,
        value,
        point: { ...point, [axis]: value },
        trainedWeights: 1,
        rounds: [{ ...round, medianMs, peakMB }],
        loads: [0],
        ...measured,
      },
    ] as const
  const points = [4, 16, 64].flatMap((value) => [taken('rows', value, value, 100), taken('layers', value, 7, 10 + 3 * Math.sqrt(value))])
  const results = Object.fromEntries(points)
  const told = scalingTold(results)
  const exponent = (...first: string[]): string => rowsOf(told.text, ...first)[0]!.at(-2)!
  assert.equal(exponent('rows', '2 threads', 'step, ms'), '1.00')
  assert.equal(exponent('layers', '2 threads', 'above the start, MB'), '0.50')
  assert.equal(exponent('layers', '2 threads', 'step, ms'), '0.00')
  // Rows of 128 tokens.
  assert.deepEqual(
    rowsOf(told.text, 'rows', '2 threads')
      .slice(3)
      .map(([, , at]) => at),
    ['512', '2048', '8192'],
  )
  assert.deepEqual(told.missing, ['npm run bench -- scaling length width rank experts'])
  assert.deepEqual(Object.keys(told.drawings), ['scaling-rows', 'scaling-layers'])
})
