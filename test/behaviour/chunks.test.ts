import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runConfig } from '../../src/config/run-config.ts'
import type { Example } from '../../src/data/examples.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { full } from '../../src/methods/full.ts'
import { type MethodOptions, methodNames, methodOptions } from '../../src/methods/index.ts'
import { stepCost } from '../../src/train/forecast/step-cost.ts'
import { openPrefixCache } from '../../src/train/prefix/cache.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph, type StepGraphOptions } from '../../src/train/step-graph.ts'
import { goldenBases, goldenSubject, plain } from './golden-bases.ts'
import { assertNear, assertSameBits, copyOf, disturb, example, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

interface Given {
  readonly subject: Subject
  readonly options: MethodOptions
  readonly examples: readonly Example[]
  readonly changes?: Partial<StepGraphOptions>
  /** What lies below all that is trained is kept of each row. */
  readonly caches?: boolean
}

/** Two updates without dropout. A large epsilon keeps Adam from blowing rounding errors of tiny gradients up. */
async function trained({ subject, options, examples, changes = {}, caches = false }: Given, tokensAtOnce: number | null) {
  const shape = outline(subject)
  const method = methodFor(subject, shape, options, 20)
  const state = copyOf(initialState(subject, shape, method, 1))
  disturb(state, /lora_(B|E)|up\.weight|ia3|prefix/)
  const adam = { betas: [0.9, 0.999], epsilon: 1e-2, weightDecay: 0.1 } as const
  const given = stepOptions(method, { modelDropout: 0, maxGradNorm: 1, adam, ...changes, tokensAtOnce })
  const prefixCache = caches ? openPrefixCache(subject, { examples, batchSize: 4, tokensAtOnce, folder: null, mostInMemory: 1e6 }) : null
  const step = await openStep(subject, state, { ...given, prefixCache })
  const told: { loss: number; taskLoss: number; penalty: number; consistency: number; gradNorm: number; tokens: number }[] = []
  for (const at of [0, 1]) {
    const { loss, taskLoss, penalty, consistency, gradNorm, tokens } = await step.run([examples], { seed: 3, step: at }, 0.01)
    told.push({ loss, taskLoss, penalty, consistency, gradNorm, tokens })
  }
  await step.close()
  prefixCache?.close()
  return { told, state }
}

async function assertSame(given: Given): Promise<void> {
  const whole = await trained(given, null)
  // Chunks of a few rows, and one for each row.
  for (const tokensAtOnce of [12, 1]) {
    const chunked = await trained(given, tokensAtOnce)
    for (const [i, expected] of whole.told.entries()) {
      const found = chunked.told[i]!
      for (const key of Object.keys(expected) as (keyof typeof expected)[]) assertNear([found[key]], [expected[key]], 2e-5, key)
    }
    for (const [name, { data }] of whole.state) assertNear(chunked.state.get(name)!.data, data, 1e-5, name)
  }
}

const options: readonly Readonly<Record<string, unknown>>[] = [
  ...methodNames
    .filter((name) => name !== 'adamix')
    .map((name) => ({ name, ...(name === 'prompt' || name === 'prefix' ? { tokens: 2 } : {}) })),
  { name: 'adalora', initR: 3, targetR: 2, tInit: 1, tFinal: 1, orthogonality: 0.3 },
  { name: 'adamix', of: { name: 'bottleneck', size: 4 }, consistency: { weight: 2 } },
  { name: 'adamix', of: { name: 'lora', r: 2 } },
]

for (const method of options) {
  test(`an update in chunks is that of the whole micro-batch: ${JSON.stringify(method)}`, async () => {
    await assertSame({ subject: tinySubject(), options: methodOptions.parse(method), examples: rows })
  })
}

const lora = methodOptions.parse({ name: 'lora', r: 2 })
const masked = { golden: 'bert-cls-lora', task: 'masked-lm', examples: plain.map((row) => ({ ...row, label: [...row.ids] })) } as const

for (const { golden, task, examples } of [...goldenBases(plain), masked]) {
  test(`${golden}, ${task}: an update in chunks is that of the whole`, async () => {
    await assertSame({ subject: goldenSubject({ golden, task }), options: lora, examples })
  })
}

test('choices of one example stay together', async () => {
  const examples = plain.slice(0, 4).map((row, i) => ({ ...row, label: i % 2, others: [plain[(i + 1) % 4]!, plain[(i + 3) % 4]!] }))
  await assertSame({ subject: tinySubject({}, 'multiple-choice'), options: lora, examples })
})

test('class weights, smoothed labels and rows that are kept from below come to the same', async () => {
  const objective = { passes: 1, consistency: null, labelSmoothing: 0.2, classWeights: [0.5, 3, 1.5] }
  await assertSame({ subject: tinySubject(), options: lora, examples: rows, changes: { objective } })
  const upper = methodOptions.parse({ name: 'lora', r: 2, layers: 'last 1' })
  await assertSame({ subject: tinySubject({ num_hidden_layers: 3 }), options: upper, examples: rows, caches: true })
})

test('chunks have dropout of their own, which depends on seed and step alone', async () => {
  const subject = tinySubject({ hidden_dropout_prob: 0.3 })
  const same = [rows[0]!, rows[0]!]
  const run = async (examples: readonly Example[], tokensAtOnce: number | null, seed = 1) => {
    const { method, state } = prepare(subject, full)
    const step = await openStep(subject, state, stepOptions(method, { tokensAtOnce }))
    const { loss } = await step.run([examples], { seed, step: 0 }, 0.01)
    await step.close()
    return { loss, state }
  }
  const [one, again, other] = [await run(rows, 8), await run(rows, 8), await run(rows, 8, 2)]
  assertSameBits(one.state, again.state)
  assert.notEqual(one.loss, other.loss)
  // One row twice, each time in a chunk of its own: with the same masks the mean would be that of the row alone.
  assert.ok(Math.abs((await run(same, 1)).loss - (await run(same.slice(0, 1), 1)).loss) > 1e-4)
})

test('the operations of chunks are those foretold, what each makes anew among them', async () => {
  const train = runConfig.parse({ model: 'm', task: 'regression', data: { train: 't' }, train: { batchSize: 4, tokensAtOnce: 12 } }).train
  for (const [golden, repeats] of [
    ['bert-cls-lora', false],
    ['deberta-v2-cls-lora', true],
  ] as const) {
    const subject = goldenSubject({ golden, task: 'sequence-classification' })
    const shape = outline(subject)
    const method = methodFor(subject, shape, lora, 20)
    const flopsOf = async (tokensAtOnce: number | null): Promise<number> => {
      const state = copyOf(initialState(subject, shape, method, 1))
      const step = await openStep(subject, state, stepOptions(method, { tokensAtOnce }))
      const { flops } = await step.run([Array.from({ length: 4 }, (_, i) => example(6, i % 2))], { seed: 1, step: 0 }, 0.01)
      await step.close()
      return flops
    }
    const foretold = stepCost({ subject, outline: shape }, method, train, { length: 6 })
    assert.equal(foretold.chunks, 2)
    const [whole, chunked] = [await flopsOf(null), await flopsOf(12)]
    assert.equal(chunked, foretold.flops, golden)
    assert.equal(chunked > whole, repeats, `${golden}: ${chunked} for ${whole}`)
  }
})

test('what a router makes of a batch as a whole is not divided', () => {
  const subject = tinySubject()
  const shape = outline(subject)
  const divisible = (given: Readonly<Record<string, unknown>>): boolean => {
    const method = methodFor(subject, shape, methodOptions.parse(given), 20)
    return buildStepGraph(subject, initialState(subject, shape, method, 1), stepOptions(method)).divisible
  }
  const mixture = { name: 'adamix', of: { name: 'lora', r: 2 } }
  assert.ok(divisible(mixture))
  assert.ok(divisible({ name: 'lora', r: 2 }))
  for (const name of ['switch', 'top-k', 'base', 'hash']) assert.ok(!divisible({ ...mixture, routing: { name } }), name)
})
