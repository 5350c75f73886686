import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { assemble, outline } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { initialState, type State, trainedIn } from '../../src/evaluate/state.ts'
import { weightCounts } from '../../src/evaluate/weight-counts.ts'
import { loadAdapter, mergeState, saveAdapter } from '../../src/formats/index.ts'
import { mixableNames } from '../../src/methods/adamix.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { type MethodOptions, methodOptions, methods, plainMethod } from '../../src/methods/index.ts'
import { deployed, foldOf, type Method, parameterName } from '../../src/nn/method.ts'
import { routingNames } from '../../src/routing/index.ts'
import { openStep } from '../../src/train/step.ts'
import { assertNear, assertSameBits, copyOf, labels, rows, stepOptions, temporaryFolder, tinySubject } from '../behaviour/tiny-model.ts'

const subject = tinySubject({ hidden_dropout_prob: 0.1, max_position_embeddings: 64 })
const shape = outline(subject)
const formats = { model: subject.model, outline: shape }
const steps = 20

async function logits(
  method: Method,
  state: State | ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>,
): Promise<number[]> {
  const forward = await openForward(subject, method, state, { batchSize: 4 })
  const answers = await forward.logits(rows, state)
  await forward.close()
  return answers.flatMap((row) => [...row])
}

/** Trains in place; returns the losses. */
async function train(method: Method, state: State, from: number, to: number): Promise<number[]> {
  const step = await openStep(subject, state, stepOptions(method))
  const losses: number[] = []
  for (let at = from; at < to; at++) losses.push((await step.run([rows], { seed: 1, step: at }, 2e-2)).taskLoss)
  await step.close()
  return losses
}

/** Few virtual tokens, since the rows are short. */
const small: Readonly<Record<string, object>> = { prompt: { tokens: 2 }, prefix: { tokens: 2 } }
const byExample = (name: string): Record<string, unknown> => ({
  ...{ name: 'adamix', of: { name, ...small[name] } },
  routing: { name: 'uniform', per: 'example' },
})
/** Forms of methods that options choose. */
const forms: Readonly<Record<string, { readonly name: string } & Record<string, unknown>>> = {
  DoRA: { name: 'lora', dora: true, dropout: 0.1 },
  'VeRA on maps of several sizes': { name: 'vera', r: 5, targets: ['query', 'up', 'down'], dropout: 0.1 },
  'P-tuning by an MLP': { name: 'prompt', tokens: 2, encoder: 'mlp', width: 8 },
  'P-tuning by an LSTM': { name: 'prompt', tokens: 3, encoder: 'lstm', width: 6 },
  PiSSA: { name: 'lora', init: 'pissa', r: 4 },
  'OLoRA with DoRA': { name: 'lora', init: 'olora', r: 4, dora: true, rslora: true, rankPattern: { value: 2 } },
}
const given: readonly (readonly [string, Record<string, unknown>])[] = [
  ...Object.keys(methods).map((name) => [name, { name, ...small[name] }] as const),
  ...mixableNames.map((name) => [`adamix over ${name}`, { name: 'adamix', of: { name, ...small[name] } }] as const),
  ...Object.entries(forms),
  ...Object.entries(forms).map(([name, of]) => [`adamix over ${name}`, { name: 'adamix', of }] as const),
  ...mixableNames.map((name) => [`adamix over ${name}, routed by example`, byExample(name)] as const),
  ...routingNames
    .filter((name) => name !== 'replay')
    .map((name) => [`adamix routed by ${name}`, { name: 'adamix', of: { name: 'lora' }, routing: { name } }] as const),
  ...(['bottleneck', 'adalora', 'ia3', 'vera', 'bitfit'] as const).map(
    (name) => [`adamix over ${name}, routed by switch`, { name: 'adamix', of: { name }, routing: { name: 'switch' } }] as const,
  ),
]
for (const [name, chosen] of given) {
  const options: MethodOptions = methodOptions.parse(chosen)
  const make = (): { method: Method; state: State } => {
    const method = methodFor(subject, shape, options, steps)
    return { method, state: initialState(subject, shape, method, 1) }
  }
  const trained = async (): Promise<{ method: Method; state: State }> => {
    const { method, state } = make()
    await train(method, state, 0, 6)
    const parameters = new Map([...state].filter(([key]) => !key.includes('@')))
    const result = deployed(method, parameters)
    return { method: result.method, state: new Map(result.state) }
  }

  test(`${name}: counted weights are those of the state`, () => {
    const { method, state } = make()
    const counts = weightCounts(shape, method)
    const constants = new Set(
      shape.sites.flatMap((site) =>
        Object.entries(method.parameters(site)).flatMap(([role, { frozen }]) => (frozen ? [parameterName(site, role)] : [])),
      ),
    )
    const held = [...state].reduce((sum, [name, { data }]) => sum + (constants.has(name) ? 0 : data.length), 0)
    assert.equal(held, counts.trained + counts.head)
  })

  test(`${name}: the loss falls`, async () => {
    const { method, state } = make()
    const losses = await train(method, state, 0, 30)
    const mean = (part: number[]): number => part.reduce((a, b) => a + b, 0) / part.length
    assert.ok(mean(losses.slice(-4)) < mean(losses.slice(0, 4)), losses.join(' '))
  })

  test(`${name}: going on from a copy of the state gives the same bits`, async () => {
    const unbroken = make()
    await train(unbroken.method, unbroken.state, 0, 6)
    const { method, state } = make()
    await train(method, state, 0, 3)
    const copy = copyOf(state)
    await train(methodFor(subject, shape, options, steps), copy, 3, 6)
    assertSameBits(copy, unbroken.state)
  })

  test(`${name}: a saved adapter loads with the same bits and answers`, async () => {
    const { method, state } = await trained()
    const folder = join(temporaryFolder(), 'adapter')
    const card = {
      task: 'sequence-classification' as const,
      labels: null,
      outputs: labels,
      baseModel: null,
      adapterName: null,
      totalSteps: steps,
    }
    saveAdapter(folder, { ...plainMethod({ options, memory: null }), state, card }, formats)
    const loaded = loadAdapter(folder, formats)
    assertSameBits(loaded.state, state)
    const again = methodFor(subject, shape, loaded.options, null, loaded.memory)
    assert.deepEqual(await logits(again, loaded.state), await logits(method, state))
  })

  const { method: plain } = (() => {
    const { method, state } = make()
    return deployed(method, state)
  })()
  const adds = shape.sites.some((site) => Object.keys(plain.parameters(site)).length > 0)

  if (foldOf(plain)) {
    test(`${name}: merged weights answer as the adapter does`, async () => {
      const { method, state } = await trained()
      const merged = mergeState(subject.model, method, state, shape.sites)
      assertNear(
        await logits(
          inPlace('merged', () => false),
          merged,
        ),
        await logits(method, state),
        1e-5,
      )
    })
  }
  if (foldOf(plain) || !adds) {
    test(`${name}: nothing changes at the start`, async () => {
      const { method, state } = make()
      const start = deployed(method, state)
      const head = new Map([...state].filter(([key]) => key.startsWith('classifier')))
      assertNear(
        await logits(start.method, start.state),
        await logits(
          inPlace('none', () => false),
          head,
        ),
        1e-6,
      )
    })
  }
  test(`${name}: no dropout and no draw outside of training`, () => {
    const { method, state } = make()
    const { masks, network } = assemble(subject, { method: deployed(method, state).method, training: false, trains: trainedIn(state) })
    assert.equal(masks.length, 0)
    assert.equal([...network.graph.inputs.keys()].filter((input) => /dropout|noise|mixture|observing/.test(input)).length, 0)
  })
}

for (const name of mixableNames) {
  test(`one expert of ${name} without consistency is ${name} bit for bit`, async () => {
    const run = async (
      options: MethodOptions,
    ): Promise<{ losses: number[]; state: ReadonlyMap<string, { readonly data: Float32Array }> }> => {
      const method = methodFor(subject, shape, options, steps)
      const state = initialState(subject, shape, method, 1)
      return { losses: await train(method, state, 0, 6), state }
    }
    const of = name === 'bottleneck' ? { name, variant: 'ffn-output' } : { name }
    const plain = await run(methodOptions.parse(of))
    const mixed = await run(methodOptions.parse({ name: 'adamix', of, experts: 1, consistency: 0 }))
    assert.deepEqual(mixed.losses, plain.losses)
    assertSameBits(mixed.state, plain.state)
  })
}
