import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { schedules } from '../../src/allocation/schedules/index.ts'
import { scores } from '../../src/allocation/scores/index.ts'
import { parseRun } from '../../src/config/parse.ts'
import { readRows } from '../../src/data/read-rows.ts'
import { outline } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import type { State } from '../../src/evaluate/state.ts'
import { loadAdapter } from '../../src/formats/index.ts'
import { heads } from '../../src/heads/index.ts'
import { lora } from '../../src/methods/lora.ts'
import { openModel } from '../../src/models/open.ts'
import type { Method } from '../../src/nn/method.ts'
import { reshapeState } from '../../src/train/reshape.ts'
import { resume, train } from '../../src/train/run.ts'
import { openStep } from '../../src/train/step.ts'
import { assertSameRun, type Event, eventsOf, projectFolder, readJson, recordOf } from '../cli/project.ts'
import { assertNear, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

const folder = projectFolder()
const steps = 12
const adalora = { name: 'adalora', initR: 4, targetR: 2, tInit: 2, tFinal: 4, deltaT: 2, targets: ['query', 'down'] }
const pruned = { name: 'lora', r: 4, targets: ['query', 'down'], prune: { targetR: 2, tInit: 2, tFinal: 4, deltaT: 2 } }

function configOf(method: Record<string, unknown>, seed = 1) {
  return parseRun(
    {
      model: join(folder, 'model'),
      task: 'sequence-classification',
      method,
      data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'eval.jsonl') },
      train: { steps, batchSize: 8, learningRate: 0.02, warmupRatio: 0, seed, threads: 1, evalEvery: 4, checkpointEvery: 5 },
    },
    'run',
  )
}

let runs = 0
async function run(method: Record<string, unknown>, seed = 1) {
  const out = join(folder, `run-${runs++}`)
  const events: Event[] = []
  const { weights } = await train(configOf(method, seed), { out, sinks: [(event) => events.push(event)] })
  return { out, weights, ranks: events.filter(({ event }) => event === 'ranks'), adapter: join(out, 'adapter') }
}
type Ranks = Record<string, number>
const ranksIn = (event: Event | undefined): Ranks => event!.ranks as Ranks
const sum = (ranks: Ranks): number => Object.values(ranks).reduce((a, b) => a + b, 0)

/** Ranks of the tensors that were saved, by module. */
function savedRanks(adapter: string): Ranks {
  const { state } = load(adapter)
  return Object.fromEntries(
    [...state].flatMap(([name, { shape }]) => (name.endsWith('.A.weight') ? [[name.slice(0, -'.A.weight'.length), shape[0]!]] : [])),
  )
}
function load(adapter: string) {
  const model = openModel(join(folder, 'model'), (checkpoint) => checkpoint)
  const subject = { model, head: heads['sequence-classification'], labels: 2 }
  return loadAdapter(adapter, { model, outline: outline(subject) })
}
async function lossOf(adapter: string): Promise<number> {
  const predictor = await openPredictor({ model: join(folder, 'model'), adapter })
  const { loss } = await predictor.evaluate(await readRows(join(folder, 'eval.jsonl')))
  await predictor.close()
  return loss!
}
const withoutZeros = (ranks: Ranks): Ranks => Object.fromEntries(Object.entries(ranks).filter(([, rank]) => rank > 0))

for (const score of Object.keys(scores)) {
  for (const schedule of Object.keys(schedules)) {
    test(`score ${score}, schedule ${schedule}: a run ends at the target and saves what it kept`, async () => {
      const { ranks, adapter, weights } = await run({ ...adalora, score, schedule })
      if (schedule === 'none') {
        assert.deepEqual(ranks, [])
        assert.deepEqual(Object.values(savedRanks(adapter)), [4, 4, 4, 4])
        assert.equal(weights.merged, weights.trained)
        return
      }
      const [first, last] = [ranks[0]!, ranks.at(-1)!]
      assert.deepEqual([first.step, sum(ranksIn(first)), first.final], [1, 16, false])
      assert.deepEqual([last.step, sum(ranksIn(last)), last.final], [9, 8, true])
      assert.deepEqual(savedRanks(adapter), withoutZeros(ranksIn(last)))
      assert.ok(weights.merged < weights.trained)
      const { deviation } = last as unknown as { deviation: { A: number; B: number } }
      assert.ok(deviation.A > 0 && deviation.B > 0 && deviation.A < 4 && deviation.B < 4)
    })
  }
}

test('between, the budget falls as the schedule says', async () => {
  const budgets = async (schedule: string): Promise<unknown[]> =>
    (await run({ ...adalora, deltaT: 1, schedule })).ranks.filter(({ step }) => Number(step) <= 9).map(({ budget }) => budget)
  assert.deepEqual(await budgets('cubic'), [16, 12, 10, 9, 8, 8])
  assert.deepEqual(await budgets('linear'), [16, 14, 13, 12, 10, 9, 8])
  assert.deepEqual(await budgets('one-shot'), [16, 8])
})

test('per module all end at the target, per layer the layers do, over all anything may', async () => {
  const final = async (selection: string): Promise<Ranks> =>
    ranksIn((await run({ ...adalora, score: 'random', selection }, 3)).ranks.at(-1))
  assert.deepEqual(Object.values(await final('per-module')), [2, 2, 2, 2])
  const layers = Object.entries(await final('per-layer'))
  const inLayer = (layer: number): number => sum(Object.fromEntries(layers.filter(([name]) => name.includes(`.layer.${layer}.`))))
  assert.deepEqual([inLayer(0), inLayer(1)], [4, 4])
  assert.notDeepEqual(Object.values(await final('global')), [2, 2, 2, 2])
})

for (const method of [
  { ...adalora, score: 'random' },
  { ...pruned, prune: { ...pruned.prune, score: 'random' } },
]) {
  test(`random scores of ${method.name} hang on the seed, and a run that was stopped ends in the bytes of an unbroken one`, async () => {
    const whole = await run(method)
    const other = await run(method, 2)
    assert.notDeepEqual(ranksIn(other.ranks.at(-1)), ranksIn(whole.ranks.at(-1)))
    const out = join(folder, `stopped-${method.name}`)
    for (const at of [3, 6, 10]) {
      let asked = 0
      const done = stepsIn(out)
      const stopRequested = (): boolean => done + asked++ >= at
      const { finished } = await (done === 0 ? train(configOf(method), { out, stopRequested }) : resume(out, { stopRequested }))
      assert.ok(!finished)
      assert.equal(stepsIn(out), at)
    }
    await resume(out)
    assertSameRun(out, whole.out)
  })
}
const stepsIn = (out: string): number => eventsOf(recordOf(out)).filter(({ event }) => event === 'step').length

test('replayed ranks hold from the first update, whatever file tells them', async () => {
  const told = await run({ ...adalora, score: 'random' }, 3)
  const ranks = ranksIn(told.ranks.at(-1))
  const json = join(folder, 'ranks.json')
  writeFileSync(json, JSON.stringify(ranks))
  for (const file of [told.adapter, join(told.out, 'run.jsonl'), json]) {
    const again = await run({ ...adalora, selection: 'replay', ranks: file })
    assert.deepEqual(
      again.ranks.map(({ step, final, budget, ranks: given }) => ({ step, final, budget, given })),
      [{ step: 1, final: true, budget: 8, given: ranks }],
    )
    assert.deepEqual(savedRanks(again.adapter), withoutZeros(ranks))
    assert.equal(again.weights.trained, again.weights.merged)
    assert.equal(again.weights.merged, told.weights.merged)
    // A card names no path of the machine it was made on.
    assert.equal((readJson(again.adapter, 'adatune.json').method as { ranks: unknown }).ranks, null)
  }
  const stopped = join(folder, 'stopped-replay')
  const config = configOf({ ...adalora, selection: 'replay', ranks: json })
  let asked = 0
  await train(config, { out: stopped, stopRequested: () => asked++ >= 5 })
  await resume(stopped)
  assert.deepEqual(savedRanks(join(stopped, 'adapter')), withoutZeros(ranks))
})

test('ranks that do not fit the modules are refused', async () => {
  const file = join(folder, 'wrong.json')
  const refused = async (ranks: Ranks, message: RegExp, more: Record<string, unknown> = {}): Promise<void> => {
    writeFileSync(file, JSON.stringify(ranks))
    await assert.rejects(run({ ...adalora, selection: 'replay', ranks: file, ...more }), { name: 'UserError', message })
  }
  const query = (layer: number): string => `bert.encoder.layer.${layer}.attention.self.query`
  await refused({ [query(0)]: 1 }, /has none for "bert\.encoder\.layer\.0\.output\.dense"; give the targets/)
  const targets = ['query']
  await refused({ [query(0)]: 1, [query(1)]: 5 }, /gives "bert.*" 5, more than initR 4; raise initR/, { targets })
  await refused({ [query(0)]: 1, [query(1)]: 3 }, /budget: with the selection replay a file says the ranks/, { targets, budget: '2%' })
})

for (const zeroes of ['doublet', 'B']) {
  for (const score of Object.keys(scores)) {
    test(`pruned LoRA, ${score}, zeroes ${zeroes}: saved as ordinary LoRA that answers as the run did`, async () => {
      const { ranks, adapter, out, weights } = await run({ ...pruned, prune: { ...pruned.prune, score, zeroes } })
      assert.deepEqual([sum(ranksIn(ranks[0])), ranks[0]!.step, ranks[0]!.deviation], [16, 1, undefined])
      const last = ranksIn(ranks.at(-1))
      assert.equal(sum(last), 8)
      assert.deepEqual(savedRanks(adapter), withoutZeros(last))
      const { rank_pattern, alpha_pattern, peft_type } = readJson(adapter, 'adapter_config.json')
      assert.deepEqual([peft_type, rank_pattern], ['LORA', withoutZeros(last)])
      // The scale stays that of the initial rank: alpha over rank is 16 / 4 in every module.
      for (const [name, alpha] of Object.entries(alpha_pattern as Ranks)) assert.equal(alpha / last[name]!, 4)
      const { options, state, memory } = load(adapter)
      assert.deepEqual([memory, options.name === 'lora' && options.prune], [null, null])
      const saved = [...state].filter(([name]) => /[AB]\.weight$/.test(name)).reduce((n, [, { data }]) => n + data.length, 0)
      assert.equal(saved, weights.merged)
      assertNear([await lossOf(adapter)], [Number(readJson(out, 'metrics.json').loss)], 1e-6)
    })
  }
}

test('a masked doublet gives nothing, grows back while training goes on, and can be cut out', async () => {
  const subject = tinySubject()
  const logitsOf = async (method: Method, state: State): Promise<number[]> => {
    const forward = await openForward(subject, method, state, { batchSize: 6 })
    const logits = await forward.logits(rows, state)
    await forward.close()
    return logits.flatMap((row) => [...row])
  }
  for (const zeroes of ['doublet', 'B']) {
    const options = { ...pruned, prune: { ...pruned.prune, deltaT: 3, zeroes } }
    const { method, state } = prepare(subject, lora, options, { totalSteps: steps })
    const step = await openStep(subject, state, stepOptions(method))
    let memory: unknown = null
    const ranks: number[] = []
    for (let at = 0; at <= 8; at++) {
      const { signals } = await step.run([rows], { seed: 1, step: at }, 0.02)
      const decision = method.control!(at, signals, state, memory)
      memory = decision?.memory ?? memory
      ranks.push((memory as { ranks: number[] }).ranks.reduce((a, b) => a + b))
      if (at === 6) {
        const columns = [...state].filter(([name]) => name.endsWith('.B.weight'))
        const zeros = columns.map(([, { shape, data }]) => data.filter((value) => value === 0).length / shape[0]!)
        assert.equal(
          zeros.reduce((a, b) => a + b),
          16 - ranks[6]!,
        )
        assert.equal(
          [...state].some(([name, { data }]) => name.endsWith('.A.weight') && data.includes(0)),
          zeroes === 'doublet',
        )
      }
      if (!decision?.reshape) continue
      const before = await logitsOf(method, state)
      reshapeState(state, decision.reshape)
      const smaller = prepare(subject, lora, options, { totalSteps: steps, memory }).method
      assertNear(await logitsOf(smaller, state), before, 1e-6)
    }
    await step.close()
    // Masks fall at 3 and 6, and at 8 for good.
    assert.deepEqual(ranks, [16, 16, 16, 12, 16, 16, 8, 16, 8], zeroes)
  }
})

test('pruning that cannot be saved is refused', async () => {
  await assert.rejects(run({ ...pruned, bias: 'lora_only' }), { name: 'UserError', message: /set bias to none or all/ })
  const prune = { ...pruned.prune, targetR: 4 }
  await assert.rejects(run({ ...pruned, prune }), { name: 'UserError', message: /targetR 4 must be below r 4\. .*schedule: none/ })
  const nothing = { ...pruned, prune: { ...pruned.prune, schedule: 'none' } }
  const { adapter, ranks } = await run(nothing)
  assert.deepEqual([Object.values(savedRanks(adapter)), ranks], [[4, 4, 4, 4], []])
})

for (const of of [
  { ...pruned, prune: { ...pruned.prune, score: 'random' } },
  { ...adalora, score: 'magnitude', schedule: 'one-shot' },
]) {
  test(`a mixture gives out the ranks of ${of.name}, and its mean is saved at these`, async () => {
    const { ranks, adapter, out } = await run({ name: 'adamix', of, experts: 2 })
    const last = ranks.at(-1)!
    assert.deepEqual([last.final, sum(ranksIn(last))], [true, 8])
    assert.deepEqual(savedRanks(adapter), withoutZeros(ranksIn(last)))
    assertNear([await lossOf(adapter)], [Number(readJson(out, 'metrics.json').loss)], 1e-6)
  })
}

test('a budget sizes pruned LoRA by what is left of it', async () => {
  const { out, weights } = await run({ ...pruned, budget: { ranks: 8 } })
  const { r, prune } = readJson(out, 'config.json').method as { r: number; prune: { targetR: number } }
  assert.deepEqual([r, prune.targetR, weights.trained], [3, 2, 3 * 2 * (16 + 16 + 32 + 16)])
})
