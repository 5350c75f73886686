import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RunSummary } from '../train/run-summary.ts'
import { closingTable } from './closing-table.ts'
import { metricTextOf } from './metric-text.ts'
import { metric } from './numbers.ts'

const weights = { base: 354_310_144, head: 1_051_650, trained: 1_992_192, merged: 811_392 }
const metrics = {
  ...{ accuracy: 0.8114, loss: 0.4512, keptStep: 200, steps: 300, tokens: 600_000, trainFlops: 2.5e15, adapterBytes: 7_456_789 },
  ...weights,
  ...{ seconds: 600, cpuSeconds: 1150, peakMemoryBytes: 3.21e9 },
}
const summary: RunSummary = {
  out: 'runs/1',
  finished: true,
  kept: { step: 200, metrics: { accuracy: 0.811, loss: 0.451 } },
  weights,
  forwardFlops: { base: 6.1e8, training: 1.25e9, merged: 6.12e8 },
  metrics,
}

const counts = [
  '                 weights  % of model    with head  % of model  forward a token',
  'base         354,310,144      99.7 %  355,361,794       100 %        610 MFLOP',
  'in training    1,992,192     0.561 %    3,043,842     0.857 %       1.25 GFLOP',
  'at the end       811,392     0.228 %    1,863,042     0.524 %        612 MFLOP',
]

test('a finished run is summed up', () => {
  assert.deepEqual(closingTable(summary, metric).split('\n'), [
    '',
    ...counts,
    '',
    'kept         the best evaluation, at step 200 of 300',
    'accuracy     81.1',
    'loss         0.451',
    'steps        300',
    'time         10 min 00 s, 19 min 10 s of CPU',
    'energy       11.5 kJ, estimated at 10 W a busy core',
    'tokens       600,000, 1,000 tokens/s',
    'training     2.5 PFLOP, 8.33 TFLOP a step',
    'peak memory  3.21 GB',
    `adapter      7.46 MB in ${join('runs/1', 'adapter')}`,
    '',
  ])
})

test('energy that was read is told so', () => {
  const read = { ...metrics, joules: 8123 }
  assert.match(closingTable({ ...summary, metrics: read }, metric), /^energy +8\.12 kJ of the machine's processors$/m)
})

test('without an evaluation the last step is kept', () => {
  assert.match(closingTable({ ...summary, kept: null }, metric), /^kept +the last step, 300$/m)
})

test('figures of question answering are in percent already, those of other tasks and of texts are brought to it', () => {
  const kept = { step: 200, metrics: { exact: 51.25, f1: 0.8, loss: 1.2 } }
  assert.match(closingTable({ ...summary, kept }, metricTextOf('question-answering')), /^exact +51\.3\nf1 +0\.8\nloss +1\.2$/m)
  const texts = { step: 200, metrics: { bleu: 50.4, rougeL: 0.323, ter: 61 } }
  assert.match(closingTable({ ...summary, kept: texts }, metricTextOf('seq2seq-lm')), /^bleu +50\.4\nrougeL +32\.3\nter +61$/m)
})
