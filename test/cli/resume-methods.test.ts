import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRun } from '../../src/config/parse.ts'
import { methods } from '../../src/methods/index.ts'
import { resume, train } from '../../src/train/run.ts'
import { assertSameRun, projectFolder, start, stepsDone, until, writeRun } from './project.ts'

const folder = projectFolder()
// Whole paths, so that the test's own process can go on with these runs, too.
const here = { model: join(folder, 'model'), data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'eval.jsonl') } }
const settings = { steps: 30, evalEvery: 10, keepBest: 'loss', checkpointEvery: 4, learningRate: 0.01 }

const small: Readonly<Record<string, object>> = {
  prompt: { tokens: 2 },
  prefix: { tokens: 2 },
  adalora: { initR: 4, targetR: 2, tInit: 4, tFinal: 12, deltaT: 3 },
}
/** Every method, and forms of methods whose state has more in it. */
const cases: Readonly<Record<string, object>> = {
  ...Object.fromEntries(Object.keys(methods).map((name) => [name, { name, ...small[name] }])),
  'dora with lora-plus': { name: 'lora', dora: true, dropout: 0.1, loraPlus: 4 },
  pissa: { name: 'lora', init: 'pissa', r: 2 },
  'pruned lora': { name: 'lora', r: 4, prune: { targetR: 2, tInit: 4, tFinal: 12, deltaT: 3 } },
  'prefix by a projection': { name: 'prefix', tokens: 2, projection: true },
  'prompt by an lstm': { name: 'prompt', tokens: 2, encoder: 'lstm' },
  'prompt behind the norm': { name: 'prompt', tokens: 2, place: 'embedded' },
  'adamix over a prefix by a projection': { name: 'adamix', of: { name: 'prefix', tokens: 2, projection: true } },
  'adamix over adalora': { name: 'adamix', of: { name: 'adalora', ...small.adalora } },
}

for (const [name, method] of Object.entries(cases)) {
  test(`${name}: a run that is killed and goes on ends in the bytes of an unbroken one`, async () => {
    const file = `${name}.yaml`
    writeRun(folder, file, { ...here, method, train: settings })
    const whole = join(folder, `${name}-whole`)
    assert.ok((await train(readRun(join(folder, file)), { out: whole })).finished)
    // On a busy machine a kill may come after the end.
    for (let attempt = 0; attempt < 5; attempt++) {
      const run = join(folder, `${name}-killed-${attempt}`)
      const moment = 5 + Math.floor(Math.random() * 12)
      const { child, ended } = start(['train', file, '--out', run, '--quiet'], folder)
      await until(() => child.exitCode !== null || stepsDone(run) >= moment, `update ${moment} of ${run}`)
      child.kill('SIGKILL')
      const { code, signal, stderr } = await ended
      assert.ok(signal === 'SIGKILL' || code === 0, stderr)
      if (signal !== 'SIGKILL') continue
      assert.ok((await resume(run)).finished)
      assertSameRun(run, whole, `(killed after update ${moment})`)
      return
    }
    assert.fail('no kill came before the end of the run')
  })
}
