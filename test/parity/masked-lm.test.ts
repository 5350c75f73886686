import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRun } from '../../src/config/parse.ts'
import type { Example } from '../../src/data/examples.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import type { Head } from '../../src/heads/head.ts'
import { heads } from '../../src/heads/index.ts'
import { mergeAdapter } from '../../src/merging/merge.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { openModel } from '../../src/models/open.ts'
import type { RunEvent } from '../../src/train/events.ts'
import { train } from '../../src/train/run.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { assertNear, temporaryFolder } from '../behaviour/tiny-model.ts'

interface Case {
  readonly rows: readonly { readonly input_ids: number[]; readonly labels: number[] }[]
  readonly logits: { readonly row: number; readonly token: number; readonly values: number[] }
  readonly told: readonly (readonly [number, number, number])[][]
  readonly steps: readonly { readonly loss: number; readonly grad_norm: number }[]
  readonly after: number
  readonly tensors: readonly string[]
}

const none = inPlace('none', () => false)

for (const name of ['bert', 'roberta', 'distilbert', 'electra', 'deberta-v2', 'mpnet', 'albert', 'modernbert']) {
  const folder = join(import.meta.dirname, '../golden/masked-lm', name)
  const golden: Case = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'))
  const model = openModel(folder, (checkpoint) => checkpoint)
  const examples = golden.rows.map(({ input_ids, labels }): Example => {
    const ids = Int32Array.from(input_ids)
    return { ids, types: new Int32Array(ids.length), mask: new Uint8Array(ids.length).fill(1), label: labels, file: '', line: 0 }
  })

  test(`${name}: the logits of the vocabulary are those of transformers, for all words and for some`, async () => {
    const words = [7, 59, 7, 0]
    const all: Head = { ...heads['token-classification'], wiring: 'masked-lm', outputs: (_, vocabulary) => vocabulary }
    const some: Head = { ...all, outputs: () => words.length, words }
    const { row, token, values } = golden.logits
    for (const [head, expected] of [
      [all, values],
      [some, words.map((word) => values[word]!)],
    ] as const) {
      const forward = await openForward({ model, head, labels: 1 }, none, new Map(), { batchSize: 8 })
      const logits = (await forward.logits(examples, new Map()))[row]!
      await forward.close()
      const width = expected.length
      assertNear(logits.subarray(token * width, (token + 1) * width), expected, 1e-5)
    }
  })

  test(`${name}: each asked place tells of its label and of the likeliest word`, async () => {
    const forward = await openForward({ model, head: heads['masked-lm'], labels: 0 }, none, new Map(), { batchSize: 3 })
    const told = await forward.logits(examples, new Map())
    await forward.close()
    golden.told.forEach((row, i) => {
      assertNear(told[i]!, row.flat(), 1e-5, `row ${i}`)
    })
  })

  test(`${name}: full tuning moves the tied words as transformers does, and saves them once`, async () => {
    const work = temporaryFolder()
    const [data, out] = [join(work, 'rows.jsonl'), join(work, 'run')]
    writeFileSync(data, golden.rows.map((row) => JSON.stringify(row)).join('\n'))
    const config = parseRun(
      {
        model: folder,
        task: 'masked-lm',
        method: { name: 'full' },
        data: { train: data },
        train: {
          ...{ batchSize: golden.rows.length, steps: golden.steps.length, shuffle: false, threads: 1 },
          ...{ learningRate: 1e-2, schedule: 'constant', warmupSteps: 0, weightDecay: 0.01, maxGradNorm: null },
        },
      },
      name,
    )
    const events: RunEvent[] = []
    await train(config, { out, sinks: [(event) => events.push(event)] })
    const steps = events.filter(({ event }) => event === 'step')
    golden.steps.forEach(({ loss, grad_norm }, i) => {
      assertNear([steps[i]!.loss as number], [loss], 1e-4, `loss ${i}`)
      assertNear([steps[i]!.gradNorm as number], [grad_norm], 1e-3, `norm ${i}`)
    })
    assert.deepEqual([...readHeader(join(out, 'adapter/model.safetensors')).tensors.keys()].sort(), golden.tensors)
    for (const where of [{ model: folder, adapter: join(out, 'adapter') }, { model: join(out, 'adapter') }]) {
      const predictor = await openPredictor(where)
      const { loss } = await predictor.evaluate(golden.rows.map((row, i) => ({ values: new Map(Object.entries(row)), file: '', line: i })))
      await predictor.close()
      assertNear([loss!], [golden.after], 2e-4, JSON.stringify(where))
    }
  })

  test(`${name}: a LoRA is saved with the head and without the tied words, and merges into a model of transformers' names`, async () => {
    const work = temporaryFolder()
    const [data, out] = [join(work, 'rows.jsonl'), join(work, 'run')]
    writeFileSync(data, golden.rows.map((row) => JSON.stringify(row)).join('\n'))
    const targets = 'all-linear'
    const settings = {
      model: folder,
      task: 'masked-lm',
      method: { name: 'lora', r: 2, targets },
      data: { train: data },
      train: { steps: 2, threads: 1 },
    }
    await train(parseRun(settings, name), { out })
    const names = [...readHeader(join(out, 'adapter/adapter_model.safetensors')).tensors.keys()]
    assert.ok(!names.some((tensor) => /word_embeddings|tok_embeddings|decoder\.weight/.test(tensor)), names.join(' '))

    await mergeAdapter({ model: folder, adapter: join(out, 'adapter'), out: join(work, 'merged') })
    const merged = readHeader(join(work, 'merged/model.safetensors')).tensors
    assert.deepEqual([...merged.keys()].sort(), golden.tensors)
    const words = golden.tensors.find((tensor) => /(word|tok)_embeddings\.weight$/.test(tensor))!
    assert.deepEqual(readTensor(merged.get(words)!), readTensor(model.find(words)!))
  })
}
