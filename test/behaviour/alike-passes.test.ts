import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flopCounter } from '../../src/graph/flops.ts'
import { alikePasses } from '../../src/lowering/alike-passes.ts'
import { adamix } from '../../src/methods/adamix.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { openSession } from '../../src/runtime/node.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { stepFeeds } from './step-feeds.ts'
import { assertNear, example, prepare, stepOptions, tinySubject } from './tiny-model.ts'

// Rows of several lengths, so that padding is there.
const examples = [example(9, 0), example(4, 1), example(7, 2)]
const mixtures = {
  'bottlenecks after the feed-forward block': { of: { name: 'bottleneck', variant: 'ffn-output', size: 4 } },
  'LoRA in the second layer alone': { of: { name: 'lora', targets: 'all-linear', layers: [1] } },
  'prefixes of keys and values': { of: { name: 'prefix', tokens: 3 } },
}
const dropping = { hidden_dropout_prob: 0.2, attention_probs_dropout_prob: 0.3 }

/** Updated parameters are left out: Adam's first update is the sign of a gradient, which may be all but 0. */
const isTold = (output: string): boolean => !/(weight|bias|tokens|@second)=$/.test(output)

for (const [name, options] of Object.entries(mixtures)) {
  for (const [how, fields] of Object.entries({ 'without dropout': {}, 'with dropout': dropping })) {
    test(`a step that makes once what both passes have alike is the same step: ${name}, ${how}`, async () => {
      const { subject, method, state } = prepare(tinySubject(fields), adamix, options)
      const settings = stepOptions(method)
      const built = buildStepGraph(subject, state, settings)
      const { graph } = built
      graph.aliases.clear()
      const shared = alikePasses(graph, method.passes)
      const feeds = stepFeeds(subject, built, settings, state, examples)
      const results = await Promise.all(
        [graph, shared].map(async (each) => {
          const session = await openSession(each)
          const result = await session.run(feeds)
          await session.close()
          return result
        }),
      )
      const [plain, once] = results as [(typeof results)[number], (typeof results)[number]]
      assert.deepEqual(Object.keys(once), Object.keys(plain))
      for (const [key, { data }] of Object.entries(plain)) if (isTold(key)) assertNear(once[key]!.data, data, 1e-5, key)
      const flops = [graph, shared].map((each) => flopCounter(liveNodes(each))({ rows: 6, tokens: 40, length: 9 }))
      if (how === 'without dropout') assert.ok(flops[1]! < flops[0]!, `${flops[1]} operations of ${flops[0]}`)
      else assert.ok(flops[1]! <= flops[0]!)
    })
  }
}
