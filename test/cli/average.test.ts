import { join } from 'node:path'
import { test } from 'node:test'
import { readRun } from '../../src/config/parse.ts'
import { readRows } from '../../src/data/read-rows.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import type { State } from '../../src/evaluate/state.ts'
import { isParameter } from '../../src/train/average.ts'
import { readCheckpoint } from '../../src/train/checkpoint.ts'
import { resume, train } from '../../src/train/run.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { assertSameRun, checkpoints, projectFolder, readJson, writeRun } from './project.ts'

const folder = projectFolder()
const here = { model: join(folder, 'model'), data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'eval.jsonl') } }
const swa = { name: 'swa', start: 0.5, every: 2 }
const common = { steps: 12, learningRate: 0.05, checkpointEvery: 1, keepCheckpoints: 12, evalEvery: 4, keepBest: 'loss' }
const adalora = { name: 'adalora', initR: 4, targetR: 2, tInit: 2, tFinal: 4, deltaT: 2 }
const cases = {
  lora: { method: { name: 'lora', r: 2 }, average: swa, from: [6, 8, 10, 12] },
  bottleneck: { method: { name: 'bottleneck', size: 4 }, average: swa, from: [6, 8, 10, 12] },
  bitfit: { method: { name: 'bitfit' }, average: swa, from: [6, 8, 10, 12] },
  adamix: { method: { name: 'adamix', of: { name: 'lora', r: 2 }, experts: 3 }, average: swa, from: [6, 8, 10, 12] },
  // The last allocation is that of update 9, counted from 1.
  adalora: { method: adalora, average: swa, from: [10, 12] },
  masked: { method: { ...adalora, shrink: 'never' }, average: swa, from: [10, 12] },
  ema: { method: { name: 'lora', r: 2 }, average: { name: 'ema', decay: 0.8 }, from: null },
  full: { method: { name: 'full' }, average: { name: 'ema', decay: 0.8 }, from: null },
}

const weightsAt = (run: string, step: number): State => readCheckpoint(checkpoints(run)[step - 1]!).state

for (const [name, { method, average, from }] of Object.entries(cases)) {
  test(`${name}: what is saved is the average of the weights, and a stopped run ends in the same bytes`, async () => {
    writeRun(folder, `${name}.yaml`, { ...here, method, train: { ...common, average } })
    const config = readRun(join(folder, `${name}.yaml`))
    const whole = join(folder, name)
    await train(config, { out: whole })

    const last = weightsAt(whole, 12)
    const states = Array.from({ length: 12 }, (_, i) => weightsAt(whole, i + 1))
    for (const [parameter, { data }] of [...last].filter(([each]) => isParameter(each))) {
      const at = (step: number, i: number): number => states[step - 1]!.get(parameter)!.data[i]!
      const expected = data.map((_, i) =>
        from
          ? from.reduce((sum, step) => sum + at(step, i), 0) / from.length
          : states.reduce((mean, _state, k) => (k === 0 ? at(1, i) : 0.8 * mean + 0.2 * at(k + 1, i)), 0),
      )
      assertNear(last.get(`${parameter}@average`)!.data, expected, 1e-5, parameter)
    }

    const broken = join(folder, `${name}-broken`)
    let asked = 0
    await train(config, { out: broken, stopRequested: () => ++asked > 7 })
    await resume(broken)
    assertSameRun(broken, whole)

    const predictor = await openPredictor({ model: here.model, adapter: join(whole, 'adapter') })
    const metrics = await predictor.evaluate(await readRows(here.data.eval))
    await predictor.close()
    assertNear([metrics.loss!], [readJson(whole, 'metrics.json').loss as number], 1e-5)
  })
}
