import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  adatune,
  assertSameRun,
  checkpoints,
  type Ended,
  eventsOf,
  projectFolder,
  recordOf,
  start,
  stepsDone,
  succeed,
  until,
  writeRun,
} from './project.ts'

const folder = projectFolder()
const steps = 60
writeRun(folder, 'run.yaml', {
  method: { name: 'lora', r: 2, dropout: 0.1 },
  train: { steps, evalEvery: 20, checkpointEvery: 1000, learningRate: 0.01, threads: 1 },
})
const whole = succeed(['train', 'run.yaml', '--out', 'whole', '--quiet'], folder)

/** A run that was sent a signal after a few updates. */
async function stoppedBy(signal: NodeJS.Signals): Promise<Ended & { out: string }> {
  for (let i = 0; i < 10; i++) {
    const out = `${signal}-${i}`
    const { child, ended } = start(['train', 'run.yaml', '--out', out], folder)
    await until(() => child.exitCode !== null || stepsDone(join(folder, out)) >= 3, 'the third update')
    child.kill(signal)
    const result = await ended
    // On a busy machine the signal may come after the end.
    if (result.code !== 0) return { ...result, out }
  }
  throw new Error('no signal came before the end of the run')
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} stops after the update under way, and the run goes on from there`, async () => {
    await whole
    const { out, code, stdout, stderr } = await stoppedBy(signal)
    const run = join(folder, out)
    assert.equal(code, 130, stderr)
    assert.match(stderr, /Stopping after this update; once more to stop at once\./)
    assert.ok(stderr.endsWith(`Stopped. Go on with: adatune train --resume ${out}\n`), stderr)
    assert.equal(stdout, '')
    const done = stepsDone(run)
    assert.ok(done >= 3 && done < steps, `${done} updates`)
    assert.deepEqual(checkpoints(run), [join(run, 'checkpoints', `step-${String(done).padStart(8, '0')}`)])
    const resumed = await adatune(['train', '--resume', out], folder)
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.ok(resumed.stderr.startsWith(`Going on after update ${done} of ${steps}.\n`), resumed.stderr)
    assertSameRun(run, join(folder, 'whole'), `(stopped after update ${done})`)
  })
}

test('a second signal ends the process at once', async () => {
  const slow = projectFolder({ fields: { hidden_size: 256, intermediate_size: 1024, num_hidden_layers: 8, max_position_embeddings: 24 } })
  // One update of many micro-batches takes seconds, so both signals come while it is under way.
  writeRun(slow, 'run.yaml', { train: { steps: 2, accumulate: 400, batchSize: 48 } })
  const { child, ended } = start(['train', 'run.yaml', '--out', 'run'], slow)
  let told = ''
  child.stderr!.on('data', (text: string) => (told += text))
  await until(() => eventsOf(recordOf(join(slow, 'run'))).length > 0, 'the start of the run')
  child.kill('SIGINT')
  await until(() => told.includes('once more to stop at once'), 'the first signal')
  child.kill('SIGINT')
  const { code, stderr } = await ended
  assert.equal(code, 130, stderr)
  assert.ok(!stderr.includes('Stopped.'), stderr)
  assert.equal(stepsDone(join(slow, 'run')), 0)
})
