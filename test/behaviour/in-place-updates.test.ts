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
const cases = {
  'full fine-tuning': () => prepare(tinySubject(dropping), full),
  AdaLoRA: () => prepare(tinySubject(dropping), adalora, { initR: 3, targetR: 2, tInit: 1, tFinal: 1, dropout: 0.1 }),
  AdaMix: () => prepare(tinySubject(dropping), adamix, { of: { name: 'bottleneck', variant: 'ffn-output', size: 4 }, adam: 'lazy' }),
}

for (const [name, make] of Object.entries(cases)) {
  test(`${name} updated in place has the bits of an update into new memory`, async () => {
    const { subject, method, state: initial } = make()
    disturb(initial, /(E|B)\.weight$/)
    const options = stepOptions(method, { maxGradNorm: 0.5, adam: { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.1 } })
    const run = async (inPlace: boolean) => {
      const step = buildStepGraph(subject, initial, options)
      const { graph } = step.assembly.network
      const aliases = [...graph.aliases]
      if (!inPlace) graph.aliases.clear()
      const state = copyOf(initial)
      for (const [key, shape] of step.state) {
        if (!state.has(key)) state.set(key, { shape, data: new Float32Array(shape.reduce((n, dim) => n * dim, 1)) })
      }
      const session = await openSession(graph)
      const results = await session.run(stepFeeds(subject, step, options, state, rows))
      await session.close()
      const written = aliases.map(([from, into]) => [into, (inPlace ? state.get(into) : results[from])!.data as Float32Array] as const)
      return { state, written: new Map(written.map(([into, data]) => [into, { data }])) }
    }
    const [inPlace, apart] = [await run(true), await run(false)]
    assertSameBits(inPlace.written, apart.written)
    assert.equal(inPlace.written.size, inPlace.state.size, 'every tensor of the state is written')
    const moved = [...initial].filter(([key, { data }]) => inPlace.state.get(key)!.data.some((value, i) => value !== data[i]))
    assert.ok(moved.length > initial.size / 2, `${moved.length} of ${initial.size} parameters moved`)
  })
}
