import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adamix } from '../../src/methods/adamix.ts'
import { full } from '../../src/methods/full.ts'
import { methods } from '../../src/methods/index.ts'
import { openStep } from '../../src/train/step.ts'
import { assertNear, copyOf, type Prepared, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

/** By how much each tensor moves because of weight decay alone: the update with it less the update without. */
async function decayed({ subject, method, state }: Prepared, decay: 'all' | 'weights'): Promise<Map<string, number[]>> {
  const run = async (weightDecay: number) => {
    const own = copyOf(state)
    for (const { data } of own.values()) data.fill(0.5, 0, 1)
    const step = await openStep(subject, own, stepOptions(method, { decay, adam: { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay } }))
    await step.run([rows], { seed: 1, step: 0 }, 0.1)
    await step.close()
    return own
  }
  const [without, given] = [await run(0), await run(0.2)]
  return new Map(
    [...state].map(([name, { data }]) => [name, Array.from(data, (_, i) => given.get(name)!.data[i]! - without.get(name)!.data[i]!)]),
  )
}

const spared = /(bias|LayerNorm\.weight)$/

test('decay of "all" shrinks every tensor by rate times decay', async () => {
  const prepared = prepare(tinySubject(), full)
  for (const [name, change] of await decayed(prepared, 'all')) assertNear([change[0]!], [-0.1 * 0.2 * 0.5], 1e-6, name)
})

test('decay of "weights" spares biases and norms', async () => {
  const prepared = prepare(tinySubject(), full)
  const changes = await decayed(prepared, 'weights')
  for (const [name, change] of changes) assertNear([change[0]!], [spared.test(name) ? 0 : -0.1 * 0.2 * 0.5], 1e-6, name)
  assert.ok([...changes.keys()].some((name) => name.endsWith('.bias')) && [...changes.keys()].some((name) => !spared.test(name)))
})

test('decay of "weights" spares the biases of a mixture, though they are stacked', async () => {
  const prepared = prepare(tinySubject(), adamix, { of: { name: 'bottleneck', variant: 'ffn-output', size: 4 }, consistency: 0 })
  const changes = await decayed(prepared, 'weights')
  assert.equal(prepared.state.get('bert.encoder.layer.0.output.dense.down.bias')!.shape.length, 2)
  for (const [name, change] of changes) assertNear([change[0]!], [spared.test(name) ? 0 : -0.1 * 0.2 * 0.5], 1e-6, name)
})

for (const of of [
  { name: 'vera', r: 4 },
  { name: 'lora', r: 2, dora: true },
]) {
  test(`decay of "weights" spares in a mixture of ${of.name} what it spares without`, async () => {
    const prepared = prepare(tinySubject(), adamix, { of, consistency: 0 })
    const { state: plain } = prepare(tinySubject(), methods[of.name as 'lora' | 'vera'], of)
    const learned = (name: string): boolean => !name.startsWith('shared.')
    const spares = (name: string): boolean => spared.test(name) || plain.get(name)!.shape.length === 1
    for (const [name, change] of await decayed(prepared, 'weights'))
      if (learned(name)) assertNear([change[0]!], [spares(name) ? 0 : -0.1 * 0.2 * 0.5], 1e-6, name)
    assert.ok([...plain.keys()].some((name) => !spared.test(name) && spares(name)))
  })
}
