import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import type { State } from '../../src/evaluate/state.ts'
import { adalora, adaloraOptions, adaloraScale } from '../../src/methods/adalora.ts'
import { full } from '../../src/methods/full.ts'
import { head } from '../../src/methods/head.ts'
import type { Method } from '../../src/nn/method.ts'
import type { LinearSite } from '../../src/nn/site.ts'
import { reshapeState } from '../../src/train/reshape.ts'
import { firstMoment } from '../../src/train/state-update.ts'
import { openStep } from '../../src/train/step.ts'
import type { StepGraphOptions } from '../../src/train/step-graph.ts'
import { assertNear, assertSameBits, copyOf, disturb, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

const options = { initR: 3, targetR: 2, tInit: 2, tFinal: 3, deltaT: 1, targets: ['query', 'down'] }
const totalSteps = 10
const subject = tinySubject()
const start = (changes: Record<string, unknown> = {}) => prepare(subject, adalora, { ...options, ...changes }, { totalSteps })

async function logitsOf(of: Subject, method: Method, state: State): Promise<number[]> {
  const forward = await openForward(of, method, state, { batchSize: 6 })
  const logits = await forward.logits(rows, state)
  await forward.close()
  return logits.flatMap((row) => [...row])
}

/** A run of updates with the allocation after each, from a state and a memory. */
async function open(state: State, memory: unknown = null, changes: Record<string, unknown> = {}, step: Partial<StepGraphOptions> = {}) {
  const { method } = prepare(subject, adalora, { ...options, ...changes }, { totalSteps, memory })
  const compiled = await openStep(subject, state, stepOptions(method, { maxGradNorm: 1, ...step }))
  let remembered = memory
  return {
    method,
    memory: () => remembered,
    async update(at: number) {
      const { signals, finite } = await compiled.run([rows], { seed: 1, step: at }, 0.02)
      assert.ok(finite)
      const before = copyOf(state)
      const decision = method.control?.(at, signals, state, remembered)
      if (decision && 'memory' in decision) remembered = decision.memory
      return { before, decision }
    },
    close: () => compiled.close(),
  }
}

const valuesOf = (state: State): number[] => [...state].flatMap(([name, { data }]) => (name.endsWith('.E.weight') ? [...data] : []))
const buffersOf = (state: State): State => new Map([...state].filter(([name]) => name.endsWith('@buffer')))

test('a fresh adapter changes no logit', async () => {
  const { method, state } = start()
  const plain = prepare(subject, head)
  assert.deepEqual(await logitsOf(subject, method, state), await logitsOf(subject, plain.method, plain.state))
})

test('at the first step only E gets a gradient from the task, A and B only one from the penalty', async () => {
  for (const orthogonality of [0, 0.1]) {
    const { method, state } = start({ orthogonality })
    const step = await openStep(subject, state, stepOptions(method))
    await step.run([rows], { seed: 1, step: 0 }, 0)
    await step.close()
    for (const [name, { data }] of state) {
      const [, role] = name.match(/\.([ABE])\.weight@first$/) ?? []
      if (role)
        assert.equal(
          data.some((value) => value !== 0),
          role === 'E' || orthogonality > 0,
          `${name}, penalty ${orthogonality}`,
        )
    }
  }
})

test('the merged weights give the logits of the adapter', async () => {
  const { method, state, shape } = start()
  disturb(state, /[ABE]\.weight$/)
  const merged = prepare(subject, full)
  for (const site of shape.sites.filter(
    (each): each is LinearSite => each.kind === 'linear' && Object.keys(method.parameters(each)).length > 0,
  )) {
    const roles = Object.fromEntries(Object.keys(method.parameters(site)).map((role) => [role, state.get(`${site.name}.${role}`)!]))
    const weight = merged.state.get(`${site.name}.weight`)!.data
    method.increment!(site, roles).forEach((value, i) => {
      weight[i] = weight[i]! + value
    })
  }
  const given = await logitsOf(subject, merged.method, merged.state)
  assertNear(given, await logitsOf(subject, method, state), 2e-6)
  const plain = prepare(subject, head)
  assert.ok((await logitsOf(subject, plain.method, plain.state)).some((value, i) => Math.abs(value - given[i]!) > 1e-2))
})

test('sensitivity is the weight after the update times the clipped gradient before it', async () => {
  const { method, state } = start({ beta1: 0.6 })
  disturb(state, /E\.weight$/)
  const adam = { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.5 } as const
  const step = await openStep(subject, state, stepOptions(method, { maxGradNorm: 0.05, adam }))
  const { gradNorm } = await step.run([rows], { seed: 1, step: 0 }, 0.1)
  await step.close()
  assert.ok(gradNorm > 0.1, 'clipping acts')
  for (const [name, { data }] of buffersOf(state)) {
    const [, parameter] = name.match(/(.*)\.sensitivity@buffer$/) ?? []
    if (!parameter) continue
    const [weight, first] = [state.get(parameter)!.data, state.get(firstMoment(parameter))!.data]
    const expected = Array.from(weight, (w, i) => Math.abs(w * (first[i]! / 0.1)) * 0.4)
    data.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]!) <= 1e-5 * Math.max(...expected), `${name}[${i}]: ${value}, expected ${expected[i]}`)
    })
  }
})

test('a score is that of E and the means of those of its row of A and its column of B', async () => {
  const { method, state } = start()
  disturb(state, /E\.weight$/)
  const step = await openStep(subject, state, stepOptions(method))
  const { signals } = await step.run([rows], { seed: 1, step: 0 }, 0.1)
  await step.close()
  assert.equal(signals.size, 4)
  for (const [site, { score }] of signals) {
    const product = (role: string): number[] => {
      const of = (statistic: string) => state.get(`${site}.${role}.weight.${statistic}@buffer`)!.data
      return Array.from(of('sensitivity'), (value, i) => value * of('uncertainty')[i]!)
    }
    const [a, e, b] = ['A', 'E', 'B'].map(product) as [number[], number[], number[]]
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
    const expected = e.map(
      (own, k) => own + mean(a.slice((k * a.length) / 3, ((k + 1) * a.length) / 3)) + mean(b.filter((_, i) => i % 3 === k)),
    )
    expected.forEach((value, k) => {
      assert.ok(Math.abs(score![k]! / value - 1) < 1e-4, `${site}: ${score![k]}, expected ${value}`)
    })
  }
})

test('every module has a score, also the pooler, which is reached with the logits', async () => {
  const targets = { targets: 'all-linear' }
  const { state, method } = start(targets)
  const run = await openStep(subject, state, stepOptions(method))
  const { signals } = await run.run([rows], { seed: 1, step: 0 }, 0.02)
  await run.close()
  const modules = [...state.keys()].flatMap((name) => (name.endsWith('.E.weight') ? [name.slice(0, -'.E.weight'.length)] : []))
  assert.ok(modules.some((name) => name.includes('pooler')))
  assert.deepEqual([...signals.keys()].sort(), modules.sort())
})

test('statistics advance from the first update and rest in the final phase', async () => {
  const { state } = start()
  const run = await open(state, null, { shrink: 'never' })
  const advanced: boolean[] = []
  for (let step = 0; step < totalSteps; step++) {
    const before = step === 0 ? new Map() : copyOf(buffersOf(state))
    await run.update(step)
    const moved = [...buffersOf(state)].filter(([name, { data }]) => data.some((value, i) => value !== (before.get(name)?.data[i] ?? 0)))
    assert.ok(moved.length === 0 || moved.length > 20)
    advanced.push(moved.length > 0)
  }
  await run.close()
  assert.deepEqual(advanced, [true, true, true, true, true, true, true, false, false, false])
})

test('between two masks singular values grow back; in the final phase they are zero after every step', async () => {
  const { state } = start()
  const run = await open(state, null, { deltaT: 4, shrink: 'never' })
  const zeros: number[] = []
  for (let step = 0; step < totalSteps; step++) {
    const { before } = await run.update(step)
    const others = new Map([...before].filter(([name]) => !name.endsWith('.E.weight')))
    assertSameBits(state, others)
    zeros.push(valuesOf(state).filter((value) => value === 0).length)
  }
  await run.close()
  // Of 12 values 8 may stay, by the cubic already at step 4.
  assert.deepEqual(zeros, [0, 0, 0, 0, 4, 0, 0, 4, 4, 4])
})

for (const shrink of ['never', 'final']) {
  test(`a run that is opened anew has the bits of an unbroken one, shrink ${shrink}`, async () => {
    const changes = { deltaT: 2, shrink }
    const { state } = start()
    const copied = copyOf(state)
    let unbroken = await open(state, null, changes)
    let reopened = await open(copied, null, changes)
    for (let step = 0; step < totalSteps; step++) {
      const { decision } = await unbroken.update(step)
      assert.deepEqual((await reopened.update(step)).decision, decision)
      if (decision?.reshape) {
        await unbroken.close()
        for (const each of [state, copied]) reshapeState(each, decision.reshape)
        unbroken = await open(state, unbroken.memory(), changes)
      }
      // In the first phase, while the budget falls, right after the last allocation, and in the final phase.
      if ([1, 4, 7, 8].includes(step)) {
        await reopened.close()
        reopened = await open(copied, JSON.parse(JSON.stringify(reopened.memory())), changes)
      }
      assertSameBits(copied, state)
    }
    assert.equal((unbroken.memory() as { shrunk: boolean }).shrunk, shrink === 'final')
    await Promise.all([unbroken.close(), reopened.close()])
  })
}

test('shrinking at the end changes no logit, keeps the scale, and training goes on', async () => {
  const ranks = { initR: 5, targetR: 2 }
  const { state } = start(ranks)
  disturb(state, /[AB]\.weight$/)
  let run = await open(state, null, ranks)
  let reshape = null
  for (let step = 0; reshape === null; step++) {
    const { decision } = await run.update(step)
    reshape = decision?.reshape ?? null
  }
  // One module loses all its singular values besides.
  const gone = 'bert.encoder.layer.0.output.dense'
  const memory = structuredClone(run.memory()) as { kept: Record<string, boolean[]> }
  memory.kept[gone] = new Array(5).fill(false)
  state.get(`${gone}.E.weight`)!.data.fill(0)
  reshape = reshape.map((kept) => (kept.parameter.startsWith(`${gone}.`) ? { ...kept, indices: [] } : kept))
  const before = await logitsOf(subject, run.method, state)
  await run.close()
  const wide = [...state.values()].reduce((sum, { data }) => sum + data.length, 0)
  reshapeState(state, reshape)
  assert.ok([...state.values()].reduce((sum, { data }) => sum + data.length, 0) < wide / 2)
  run = await open(state, memory, ranks)
  assert.deepEqual(run.method.parameters({ kind: 'linear', role: 'down', name: gone, layer: 0, in: 32, out: 16, bias: true }), {})
  const after = await logitsOf(subject, run.method, state)
  assertNear(after, before, 1e-6)
  assert.ok(valuesOf(state).every((value) => value !== 0))
  for (let step = 8; step < totalSteps; step++) assert.equal((await run.update(step)).decision ?? null, null)
  assert.ok((await logitsOf(subject, run.method, state)).some((value, i) => Math.abs(value - after[i]!) > 1e-4))
  await run.close()
})

test('the increment keeps its scale at every rank', async () => {
  const { method } = start({ alpha: 16 })
  assert.equal(adaloraScale(adaloraOptions.parse({ name: 'adalora', initR: 12, alpha: 16 })), 16 / 12.00001)
  const site: LinearSite = { kind: 'linear', role: 'query', name: 'any', layer: 0, in: 1, out: 1, bias: false }
  const tensor = (shape: number[], data: number[]) => ({ shape, data: Float32Array.from(data) })
  const pruned = { 'A.weight': tensor([1, 1], [1]), 'E.weight': tensor([1, 1], [1]), 'B.weight': tensor([1, 1], [1]) }
  assertNear(method.increment!(site, pruned), [16 / 3.00001], 1e-6)
})
