import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRun } from '../../src/config/parse.ts'
import { readRows } from '../../src/data/read-rows.ts'
import { outline } from '../../src/evaluate/assembly.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { loadAdapter } from '../../src/formats/index.ts'
import { heads } from '../../src/heads/index.ts'
import { combineAdapters } from '../../src/merging/combine.ts'
import { openModel } from '../../src/models/open.ts'
import { train } from '../../src/train/run.ts'
import { projectFolder } from '../cli/project.ts'
import { assertNear } from './tiny-model.ts'

const folder = projectFolder()
const model = join(folder, 'model')
const budget = { tInit: 2, tFinal: 3, deltaT: 2 }
const targets = ['query', 'down']
const adalora = { name: 'adalora', initR: 4, targetR: 2, alpha: 16, targets, ...budget }

let runs = 0
async function run(of: Record<string, unknown>, given: Record<string, unknown> = {}, learningRate = 0.02) {
  const out = join(folder, `run-${runs++}`)
  const config = parseRun(
    {
      ...{ model, task: 'sequence-classification', method: { name: 'adamix', of, experts: 2 }, ...given },
      data: { train: join(folder, 'train.jsonl') },
      train: { steps: 10, batchSize: 8, learningRate, warmupRatio: 0, threads: 1 },
    },
    'run',
  )
  await train(config, { out })
  return {
    out,
    adapter: join(out, 'adapter'),
    experts: join(out, 'experts.safetensors'),
    checkpoint: join(out, 'checkpoints', 'step-00000010'),
  }
}

function stateOf(adapter: string) {
  const opened = openModel(model, (checkpoint) => checkpoint)
  return loadAdapter(adapter, { model: opened, outline: outline({ model: opened, head: heads['sequence-classification'], labels: 2 }) })
    .state
}
const rankIn = (adapter: string): Record<string, number> =>
  Object.fromEntries([...stateOf(adapter)].flatMap(([name, { shape }]) => (name.endsWith('.A.weight') ? [[name, shape[0]!]] : [])))

const kinds = {
  'pruned LoRA': { name: 'lora', r: 4, alpha: 16, targets, prune: { targetR: 2, ...budget } },
  AdaLoRA: adalora,
  'AdaLoRA in its first shapes': { ...adalora, shrink: 'never' },
}

for (const [kind, of] of Object.entries(kinds)) {
  test(`experts of ${kind} answer one by one, are combined, and are trained further at their final ranks`, async () => {
    const { out, adapter, experts } = await run(of)
    const answer = async (inference: string): Promise<number> => {
      const predictor = await openPredictor({ model, adapter, inference })
      try {
        const [first] = await predictor.predict(await readRows(join(folder, 'eval.jsonl')))
        return (first as unknown as { scores: Record<string, number> }).scores.yes!
      } finally {
        await predictor.close()
      }
    }
    const [one, other, both] = [await answer('expert:0'), await answer('expert:1'), await answer('ensemble:2')]
    assert.notEqual(one, other)
    assert.ok(Math.min(one, other) <= both && both <= Math.max(one, other), `${one}, ${other}: ${both}`)

    const combined = join(out, 'combined')
    await combineAdapters({ model, experts: out, rule: 'mean', out: combined })
    const merged = stateOf(adapter)
    for (const [name, { data }] of stateOf(combined)) assertNear(data, merged.get(name)!.data, 1e-6)

    const further = await run(of, { adapter: experts })
    assert.deepEqual(rankIn(further.adapter), rankIn(adapter))
  })
}

test('experts go on under the settings alone that their weights were made with', async () => {
  const { experts } = await run({ name: 'lora', r: 2, alpha: 4, targets })
  await assert.rejects(run({ name: 'lora', r: 2, alpha: 400, targets }, { adapter: experts }), {
    name: 'UserError',
    message: /experts\.safetensors was made with of .*4.*, but the run's method has .*400.*; give both the same/,
  })
  await assert.rejects(run({ name: 'lora', r: 2, alpha: 4, targets: ['query'] }, { adapter: experts }), {
    name: 'UserError',
    message: /does not train; give both the same targets/,
  })
})

test('a run goes on from a checkpoint of another, whose weights and ranks it takes', async () => {
  for (const of of [...Object.values(kinds), { name: 'bottleneck', size: 4 }]) {
    for (const method of [of, { name: 'adamix', of, experts: 2 }]) {
      const { adapter, checkpoint } = await run(of, { method })
      const further = await run(of, { method, adapter: checkpoint }, 1e-12)
      const expected = stateOf(adapter)
      const state = stateOf(further.adapter)
      assert.deepEqual([...state.keys()].sort(), [...expected.keys()].sort())
      for (const [name, { data }] of state) assertNear(data, expected.get(name)!.data, 1e-6)
    }
  }
})

test('a checkpoint that is damaged, or of another form, is refused', async () => {
  const of = { name: 'lora', r: 2, alpha: 4, targets }
  const { checkpoint } = await run(of, { method: of })
  const refused = (method: object, message: RegExp) =>
    assert.rejects(run(of, { method, adapter: checkpoint }), { name: 'UserError', message })
  await refused({ ...of, alpha: 8 }, /step-00000010 was made with alpha 4, but the run's method has 8/)
  truncateSync(join(checkpoint, 'state.safetensors'), 100)
  await refused(of, /the checkpoint .*step-00000010 is damaged; give another of its run/)
})

test('an adapter at its final ranks goes on with its own modules alone', async () => {
  const method = { ...adalora, targets: ['query'] }
  const { adapter } = await run({}, { method })
  const { adapter: again } = await run({}, { method, adapter })
  assert.deepEqual(rankIn(again), rankIn(adapter))
  await assert.rejects(run({}, { method: adalora, adapter }), {
    name: 'UserError',
    message: /final ranks are those of other modules, with none for "bert\.encoder\.layer\.0\..*"; give the same targets, or exclude/,
  })
})
