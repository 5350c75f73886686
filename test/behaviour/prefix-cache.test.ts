import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { epochOrder } from '../../src/data/order.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { withRoundedBase } from '../../src/evaluate/rounded-base.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { int8 } from '../../src/lowering/roundings/int8.ts'
import { type MethodOptions, methodNames, methodOptions } from '../../src/methods/index.ts'
import { openPrefixCache } from '../../src/train/prefix/cache.ts'
import { openStep } from '../../src/train/step.ts'
import { continued, goldenBases, goldenSubject, plain } from './golden-bases.ts'
import { assertNear, copyOf, disturb, rows, stepOptions, temporaryFolder, tinySubject } from './tiny-model.ts'

interface Given {
  readonly subject: Subject
  readonly options: MethodOptions
  readonly examples: readonly Example[]
  readonly folder?: string | null
}

/** Losses and the last state of two epochs in different orders, two micro-batches an update. */
async function trained({ subject, options, examples, folder = null }: Given, caches: boolean) {
  const shape = outline(subject)
  const method = methodFor(subject, shape, options, 20)
  const state = copyOf(initialState(subject, shape, method, 1))
  disturb(state, /lora_(B|E)|up\.weight|ia3|prefix/)
  const prefixCache = caches ? openPrefixCache(subject, { examples, batchSize: 4, tokensAtOnce: 12, folder, mostInMemory: 0 }) : null
  const step = await openStep(
    subject,
    state,
    stepOptions(method, { modelDropout: 0, maxGradNorm: 1, accumulate: 2, ...(prefixCache && { prefixCache }) }),
  )
  const told: { loss: number; gradNorm: number; flops: number }[] = []
  for (let epoch = 0; epoch < 2; epoch++) {
    const order = Array.from(epochOrder(examples.length, 1, epoch, true), (i) => examples[i]!)
    const { loss, gradNorm, flops } = await step.run([order.slice(0, 2), order.slice(2)], { seed: 3, step: epoch }, 0.01)
    told.push({ loss, gradNorm, flops })
  }
  await step.close()
  prefixCache?.close()
  return { told, state, prefixFlops: step.prefixFlops }
}

async function assertSame(given: Given, context: string): Promise<void> {
  const [plain, cached] = [await trained(given, false), await trained(given, true)]
  for (const key of ['loss', 'gradNorm'] as const) {
    const of = ({ told }: typeof plain): number[] => told.map((each) => each[key])
    assertNear(of(cached), of(plain), 1e-5, `${context} ${key}`)
  }
  assert.ok(cached.prefixFlops > 0, context)
  assert.ok(
    cached.told.every(({ flops }, i) => flops < plain.told[i]!.flops),
    `${context}: updates take no fewer operations`,
  )
}

/** Methods that begin below all layers. */
const below: readonly string[] = ['prompt', 'prefix', 'adamix']
const last = { layers: 'last 1' }
const options: readonly Readonly<Record<string, unknown>>[] = [
  ...methodNames.filter((name) => !below.includes(name)).map((name) => ({ name, ...(name === 'head' ? {} : last) })),
  { name: 'adalora', initR: 3, targetR: 2, tInit: 1, tFinal: 1, ...last },
  { name: 'lora', r: 2, targets: 'all-linear', dropout: 0.3, ...last },
  { name: 'adamix', of: { name: 'lora', r: 2, ...last } },
  { name: 'adamix', of: { name: 'bottleneck', size: 4, ...last }, consistency: 0 },
  { name: 'adamix', of: { name: 'lora', r: 2, ...last }, routing: { name: 'top-k' } },
]

for (const method of options) {
  test(`the last layer learns the same from kept results of those below: ${JSON.stringify(method)}`, async () => {
    const given = { subject: tinySubject({ num_hidden_layers: 3 }), options: methodOptions.parse(method), examples: rows }
    await assertSame(given, method.name as string)
  })
}

const masked = plain.map((row) => ({ ...row, mask: row.mask.map((_, i) => (i === 1 ? 0 : 1)) }))
const several = Array.from({ length: 4 }, (_, i) => ({ ...plain[i]!, label: i % 2, others: [plain[(i + 1) % 4]!, plain[(i + 3) % 4]!] }))

const masks = { golden: 'bert-cls-lora', task: 'masked-lm', examples: continued } as const
for (const { golden, task, examples } of [...goldenBases(masked), masks]) {
  test(`${golden}, ${task}: the last layer learns the same from kept results`, async () => {
    const subject = goldenSubject({ golden, task })
    await assertSame({ subject, options: methodOptions.parse({ name: 'lora', r: 2, layers: 'last 1' }), examples }, golden)
  })
}

const lora = methodOptions.parse({ name: 'lora', r: 2, ...last })

test('choices, whose rows belong to one example, find their own', async () => {
  await assertSame({ subject: tinySubject({ num_hidden_layers: 3 }, 'multiple-choice'), options: lora, examples: several }, 'choices')
})

test('products in whole numbers are those of the same rows', async () => {
  const plain = tinySubject({ num_hidden_layers: 3 })
  const { model } = await withRoundedBase(plain.model, { name: 'int8', rounding: int8 }, temporaryFolder())
  await assertSame({ subject: { ...plain, model }, options: lora, examples: rows }, 'int8')
})

test('a file serves as memory does, and the next step with the same prefix', async () => {
  const folder = temporaryFolder()
  const given = { subject: tinySubject({ num_hidden_layers: 3 }), options: lora, examples: rows }
  const inMemory = await trained(given, true)
  const inFile = await trained({ ...given, folder }, true)
  const [file] = readdirSync(folder)
  assert.match(file!, /^prefix-\w+\.f32$/)
  assert.equal(statSync(join(folder, file!)).size, 4 * 16 * rows.reduce((sum, { ids }) => sum + ids.length, 0))
  const again = await trained({ ...given, folder }, true)
  assert.deepEqual([inFile.told, again.told], [inMemory.told, inMemory.told])
  // Other rows are not taken for these.
  await trained({ ...given, folder, examples: plain }, true)
  assert.notDeepEqual(readdirSync(folder), [file])
})
