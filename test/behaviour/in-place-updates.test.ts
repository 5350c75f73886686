import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adalora } from '../../src/methods/adalora.ts'
import { adamix } from '../../src/methods/adamix.ts'
import { full } from '../../src/methods/full.ts'
import { openSession } from '../../src/runtime/node.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { stepFeeds } from './step-feeds.ts'
import { assertSameBits, copyOf, disturb, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

const dropping = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 }
const adamixOfBottlenecks = { of: { name: 'bottleneck', variant: 'ffn-output', size: 4 }, adam: 'lazy' }
const cases = {
  'full fine-tuning': { make: () => prepare(tinySubject(dropping), full), accumulate: 1 },
  'full fine-tuning by sums of gradients': { make: () => prepare(tinySubject(dropping), full), accumulate: 2 },
  AdaLoRA: {
    make: () => prepare(tinySubject(dropping), adalora, { initR: 3, targetR: 2, tInit: 1, tFinal: 1, dropout: 0.1 }),
    accumulate: 1,
  },
  'AdaLoRA by sums of gradients': {
    make: () => prepare(tinySubject(dropping), adalora, { initR: 3, targetR: 2, tInit: 1, tFinal: 1, orthogonality: 0.3 }),
    accumulate: 2,
  },
  AdaMix: { make: () => prepare(tinySubject(dropping), adamix, adamixOfBottlenecks), accumulate: 1 },
}

for (const [name, { make, accumulate }] of Object.entries(cases)) {
  test(`${name} updated in place has the bits of an update into new memory`, async () => {
    const { subject, method, state: initial } = make()
    disturb(initial, /(E|B)\.weight$/)
    const adam = { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.1 } as const
    const options = stepOptions(method, { maxGradNorm: 0.5, adam, accumulate })
    const run = async (inPlace: boolean) => {
      const step = buildStepGraph(subject, initial, options)
      const state = copyOf(initial)
      for (const [key, shape] of step.state) {
        if (!state.has(key)) state.set(key, { shape, data: new Float32Array(shape.reduce((n, dim) => n * dim, 1)) })
      }
      const written = new Set<string>()
      for (const graph of [step.engine, ...(step.update ? [step.update] : [])]) {
        const aliases = [...graph.aliases]
        if (!inPlace) graph.aliases.clear()
        const session = await openSession(graph)
        const results = await session.run(stepFeeds(subject, step, options, state, rows))
        await session.close()
        for (const [from, into] of aliases) {
          written.add(into)
          if (!inPlace) state.get(into)!.data.set(results[from]!.data as Float32Array)
        }
      }
      assert.equal(written.size, state.size, 'every tensor of the state is written')
      return state
    }
    const [inPlace, apart] = [await run(true), await run(false)]
    assertSameBits(inPlace, apart)
    const moved = [...initial].filter(([key, { data }]) => inPlace.get(key)!.data.some((value, i) => value !== data[i]))
    assert.ok(moved.length > initial.size / 2, `${moved.length} of ${initial.size} parameters moved`)
  })
}
