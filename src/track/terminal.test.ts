import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { methodOptions } from '../methods/index.ts'
import type { RunEvent, Sink } from '../train/events.ts'
import { jsonSink } from './json.ts'
import { terminalSink } from './terminal.ts'

/** A stream that keeps what it is given. */
function capture(terminal: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  Object.assign(stream, { isTTY: terminal, ...(terminal && { columns: 80, rows: 24 }) })
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') }
}

/** What a terminal shows in the end, for the control codes that log-update writes. */
function screenOf(text: string): string[] {
  const codes = text.replaceAll('\u001b', '⎋').replace(/⎋\[\?2026[hl]/g, '')
  const lines = ['']
  let [row, column] = [0, 0]
  for (const [part, up, erase] of codes.matchAll(/⎋\[(?:(\d+)A|(\d?)[KG]|1?B)|\n|[^⎋\n]+/g)) {
    if (part === '\n' || /⎋\[1?B/.test(part)) [row, column] = [row + 1, part === '\n' ? 0 : column]
    else if (up) row -= Number(up)
    else if (part.endsWith('G')) column = 0
    else if (part.endsWith('K')) lines[row] = erase === '2' ? '' : (lines[row] ?? '').slice(0, column)
    else {
      lines[row] = (lines[row] ?? '').slice(0, column).padEnd(column) + part + (lines[row] ?? '').slice(column + part.length)
      column += part.length
    }
  }
  return Array.from(lines, (line) => line ?? '').filter((line) => line !== '')
}

const weights = { base: 1000, head: 24, trained: 40, merged: 10 }
const run: RunEvent = {
  event: 'run',
  model: 'tiny',
  task: 'glue/mrpc',
  method: methodOptions.parse({ name: 'adamix', of: { name: 'lora' } }),
  totalSteps: 40,
  examples: 1280,
  weights,
}
const step = (n: number, loss = 0.5): RunEvent => ({ event: 'step', step: n, epoch: n / 20, loss, tokens: 300, ms: 100 })
const evaluation: RunEvent = { event: 'eval', step: 20, epoch: 1, accuracy: 0.8114, f1: 0.868, loss: 0.45, best: true }
const ranks = (final: boolean): RunEvent => ({ event: 'ranks', step: 30, budget: 9, final, ranks: { a: 4, b: 0, c: 5 } })
const warning: RunEvent = { event: 'warning', message: 'odd \u001b[2J name' }

function play(sink: Sink, steps = 40): void {
  sink(run)
  sink(warning)
  for (let n = 1; n <= steps; n++) {
    sink(step(n))
    if (n === 20) sink(evaluation)
    if (n === 25) sink(ranks(false))
    if (n >= 30 && n < 33) sink(ranks(true))
    if (n === 35) sink({ event: 'checkpoint', step: n })
  }
}

const permanent = [
  'adamix of lora r 8 on tiny: 40 (3.91 %) of 1,024 weights, 10 (0.977 %) of them left at the end; with head 64 (6.25 %)',
  '1,280 examples, 40 steps',
  'warning: odd �[2J name',
]
const evalText = 'epoch 1  accuracy 81.1  f1 86.8  loss 0.45  best'
const ranksText = 'ranks are final: 9 over 3 modules, 1 of them at 0'

test('a log file gets plain lines: a tenth of the run each, evaluations, final ranks', () => {
  const { stream, text } = capture(false)
  const sink = terminalSink(stream)
  play(sink)
  sink({ event: 'done' })
  sink.close()
  const tenths = Array.from({ length: 10 }, (_, i) => {
    const n = 4 * (i + 1)
    const left = (40 - n) / 10
    return `step ${n}/40  epoch ${n / 20}  loss 0.5  3,000 tokens/s  ${left.toFixed(1)} s left`
  })
  const expected = [...permanent, ...tenths.slice(0, 5), evalText, ...tenths.slice(5, 7), ranksText, ...tenths.slice(7)]
  assert.deepEqual(text().trimEnd().split('\n'), expected)
})

test('a terminal keeps the lines that stay, above one live part that goes when the run is done', () => {
  const { stream, text } = capture(true)
  const sink = terminalSink(stream)
  play(sink)
  const kept = [...permanent[0]!.match(/.{1,80}/g)!, ...permanent.slice(1), evalText, ranksText]
  const live = [`${'█'.repeat(40)}  40/40  epoch 2`, 'loss 0.5  3,000 tokens/s  0.0 s left']
  assert.deepEqual(screenOf(text()), [...kept, ...live])
  sink.note('stopping')
  assert.deepEqual(screenOf(text()), [...kept, 'stopping', ...live])
  sink({ event: 'done' })
  assert.deepEqual(screenOf(text()), [...kept, 'stopping'])
  const before = text()
  sink.close()
  assert.equal(text(), before)
})

test('what is trained is told with its size, of every method that comes in several', () => {
  const told = (method: object): string => {
    const { stream, text } = capture(false)
    terminalSink(stream)({ ...run, method: methodOptions.parse(method) })
    return text().split(' on ')[0]!
  }
  const sized: Record<string, object> = {
    'lora r 4': { name: 'lora', r: 4 },
    'adalora initR 6 targetR 3': { name: 'adalora', initR: 6, targetR: 3 },
    'vera r 64': { name: 'vera', r: 64 },
    'bottleneck size 16': { name: 'bottleneck', size: 16 },
    'bottleneck reduction 8': { name: 'bottleneck', reduction: 8 },
    bottleneck: { name: 'bottleneck' },
    'prompt tokens 10': { name: 'prompt', tokens: 10 },
    'prefix tokens 5': { name: 'prefix', tokens: 5 },
    ia3: { name: 'ia3' },
    'adamix of lora r 2': { name: 'adamix', of: { name: 'lora', r: 2 } },
    'adamix of prefix tokens 5': { name: 'adamix', of: { name: 'prefix', tokens: 5 } },
  }
  for (const [expected, method] of Object.entries(sized)) assert.equal(told(method), expected)
})

test('the classes of a run are counted, and rows that are cut', () => {
  const linesOf = (fields: object): string[] => {
    const { stream, text } = capture(false)
    terminalSink(stream)({ ...run, ...fields })
    return text().trimEnd().split('\n').slice(2)
  }
  assert.deepEqual(linesOf({ classes: { bad: 1620, good: 680 }, cut: { rows: 12, tokens: 128 } }), [
    'classes: bad 1,620, good 680',
    '12 rows are cut at 128 tokens (data.maxLength)',
  ])
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`c${i}`, i]))
  assert.match(linesOf({ classes: many })[0]!, /^classes: c0 0, .*, c9 9 and 2 more$/)
})

test('a run that breaks off leaves its progress on the screen', () => {
  const { stream, text } = capture(true)
  const sink = terminalSink(stream)
  sink({ ...run, totalSteps: 4 })
  sink(step(1))
  sink.close()
  sink.close()
  assert.deepEqual(screenOf(text()).slice(-2), [
    `${'█'.repeat(10)}${'░'.repeat(30)}  1/4  epoch 0.05`,
    'loss 0.5  3,000 tokens/s  0.3 s left',
  ])
})

test('speed is that of the last steps', () => {
  const { stream, text } = capture(false)
  const sink = terminalSink(stream)
  sink({ ...run, totalSteps: 100 })
  for (let n = 1; n <= 100; n++) sink({ ...step(n), ms: n <= 50 ? 1000 : 100 })
  assert.match(text(), /step 50\/100 .* 300 tokens\/s {2}50 s left\n/)
  assert.match(text(), /step 100\/100 .* 3,000 tokens\/s {2}0\.0 s left\n/)
})

test('every event is a line of JSON', () => {
  const { stream, text } = capture(false)
  const events = [run, step(1), evaluation, ranks(true), warning, { event: 'done' } as RunEvent]
  events.forEach(jsonSink(stream))
  assert.deepEqual(
    text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    events,
  )
})

test('an evaluation in progress is shown on a terminal until the next update, and nowhere else', () => {
  for (const terminal of [true, false]) {
    const { stream, text } = capture(terminal)
    const sink = terminalSink(stream)
    sink(run)
    sink.evaluating(640, 1280, 'rows')
    assert.equal(/evaluating {2}█+░+ {2}640\/1,280 rows$/.test(screenOf(text()).at(-1)!), terminal)
    sink(step(40))
    assert.ok(!screenOf(text()).some((line) => line.includes('evaluating')))
    sink.close()
  }
})
