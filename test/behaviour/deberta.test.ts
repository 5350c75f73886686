import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
import { adamix } from '../../src/methods/adamix.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { loraOptions } from '../../src/methods/lora.ts'
import { prefix } from '../../src/methods/prefix.ts'
import { openModel } from '../../src/models/open.ts'
import type { Method, Tensor } from '../../src/nn/method.ts'
import { sliceTensor } from '../../src/nn/tensor.ts'
import { openStep } from '../../src/train/step.ts'
import { readTensor } from '../../src/weights/safetensors.ts'
import { assertNear, copyOf, disturb, prepare, stepOptions, temporaryFolder } from './tiny-model.ts'

const golden = join(import.meta.dirname, '../golden')

/** A golden model, with other fields in its config. */
function changed(folder: string, fields: object, task: TaskName, labels: number): Subject {
  const [from, to] = [join(golden, folder), temporaryFolder()]
  copyFileSync(join(from, 'model.safetensors'), join(to, 'model.safetensors'))
  const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'))
  writeFileSync(join(to, 'config.json'), JSON.stringify({ ...config, ...fields }))
  return { model: openModel(to, (checkpoint) => checkpoint), head: heads[task], labels }
}

const row = (ids: readonly number[], label: Example['label'] = null, mask = ids.map(() => 1), types = ids.map(() => 0)): Example => ({
  ids: Int32Array.from(ids),
  types: Int32Array.from(types),
  mask: Uint8Array.from(mask),
  label,
  file: '',
  line: 0,
})

async function logitsOf(subject: Subject, method: Method, state: ReadonlyMap<string, Tensor>, rows: readonly Example[]) {
  const forward = await openForward(subject, method, state, { batchSize: rows.length })
  const logits = await forward.logits(rows, state)
  await forward.close()
  return logits
}
const none = inPlace('none', () => false)

interface Variants {
  readonly ids: number[][]
  readonly mask: number[][]
  readonly types: number[][]
  readonly cases: readonly { readonly fields: object; readonly logits: number[][] }[]
}
const variants: Variants = JSON.parse(readFileSync(join(golden, 'deberta-variants/expected.json'), 'utf8'))

for (const { fields, logits } of variants.cases) {
  test(`logits are those of transformers with ${JSON.stringify(fields)}, masked tokens included`, async () => {
    const subject = changed('deberta-variants', fields, 'token-classification', 2)
    const rows = variants.ids.map((ids, i) => row(ids, null, variants.mask[i], variants.types[i]))
    const given = await logitsOf(subject, none, new Map(), rows)
    for (const [i, expected] of logits.entries()) assertNear(given[i]!, expected, 2e-4, `row ${i}`)
  })
}

const ids = [61, 5, 17, 80, 33, 2, 48]

test('a row is answered alike beside a longer one, with masked tokens and without', async () => {
  const subject = changed('deberta-v2-cls-lora/base', {}, 'token-classification', 3)
  const rows = [row(ids.slice(2)), row(ids.slice(1), null, [1, 1, 0, 1, 0, 0])]
  const alone = await Promise.all(rows.map((one) => logitsOf(subject, none, new Map(), [one])))
  const together = await logitsOf(subject, none, new Map(), [...rows, row([...ids, ...ids, ...ids])])
  for (const [i, [expected]] of alone.entries()) assertNear(together[i]!, expected!, 1e-5)
})

test('a prefix of the keys and values of tokens stands for these tokens, relative positions included', async () => {
  const subject = changed('deberta-v2-cls-lora/base', { num_hidden_layers: 1 }, 'token-classification', 3)
  const tensor = (name: string): Float32Array => readTensor(subject.model.find(`deberta.${name}`)!)
  const [words, weight, bias] = ['word_embeddings.weight', 'LayerNorm.weight', 'LayerNorm.bias'].map((name) => tensor(`embeddings.${name}`))
  const size = weight!.length
  const embedded = (id: number): number[] => {
    const word = Array.from(words!.subarray(id * size, (id + 1) * size))
    const mean = word.reduce((sum, value) => sum + value, 0) / size
    const deviation = Math.sqrt(word.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size + 1e-7)
    return word.map((value, i) => ((value - mean) / deviation) * weight![i]! + bias![i]!)
  }
  const projected = (name: string, id: number): number[] => {
    const [map, shift] = [`${name}_proj.weight`, `${name}_proj.bias`].map((end) => tensor(`encoder.layer.0.attention.self.${end}`))
    const x = embedded(id)
    return Array.from(shift!, (start, i) => x.reduce((sum, value, j) => sum + value * map![i * size + j]!, start))
  }
  const tokens = 3
  const { method, state } = prepare(subject, prefix, { tokens })
  for (const [name, { data }] of state) {
    if (!name.includes('.prefix.')) continue
    const which = name.endsWith('key') ? 'key' : 'value'
    data.set(ids.slice(0, tokens).flatMap((id) => projected(which, id)))
  }
  const [given] = await logitsOf(subject, method, state, [row(ids.slice(tokens)), row([4, 9])])
  const [whole] = await logitsOf(subject, none, new Map(), [row(ids)])
  assertNear(given!, whole!.subarray(3 * tokens), 1e-4)
})

const rows = [row(ids, 0), row(ids.slice(3), 2), row([...ids, 9, 70, 12], 1)]
const targets = ['query', 'key', 'value']

test('in a mixture of queries and keys each pass has its expert of the relative positions, too', async () => {
  const subject = changed('deberta-v2-cls-lora/base', {}, 'sequence-classification', 3)
  const file = join(temporaryFolder(), 'routes.json')
  const passes = [2, 0]
  const layers = Array.from({ length: subject.model.wiring.layers }, (_, i) => `deberta.encoder.layer.${i}.attention.self`)
  const step = passes.map((expert) => Object.fromEntries(layers.map((layer) => [layer, { A: expert }])))
  writeFileSync(file, JSON.stringify([step]))
  const of = { name: 'lora', r: 2, targets }
  const { method, state } = prepare(subject, adamix, { of, experts: 3, routing: { name: 'replay', file } })
  disturb(state, /\.[AB]\.weight$/)
  const plain = methodFor(subject, outline(subject), loraOptions.parse(of))
  const logSoftmax = (z: Float32Array): number[] =>
    Array.from(z, (value) => value - Math.log(z.reduce((sum, other) => sum + Math.exp(other), 0)))
  const [p, q] = await Promise.all(
    passes.map(async (expert) => {
      const own = [...state].map(([name, tensor]): [string, Tensor] => {
        if (!/\.[AB]\.weight$/.test(name)) return [name, tensor]
        const { shape, data } = sliceTensor(tensor, 0, [name.endsWith('.A.weight') ? expert : 0])
        return [name, { shape: shape.slice(1), data }]
      })
      return (await logitsOf(subject, plain, new Map(own), rows)).map(logSoftmax)
    }),
  )
  const task = rows.reduce((sum, { label }, i) => sum - p![i]![label as number]!, 0) / rows.length
  const divergence = p!.flatMap((each, i) => each.map((log, k) => ((Math.exp(log) - Math.exp(q![i]![k]!)) * (log - q![i]![k]!)) / 2))
  const training = await openStep(subject, copyOf(state), stepOptions(method))
  const { taskLoss, consistency } = await training.run([rows], { seed: 1, step: 0 }, 0)
  await training.close()
  assertNear([taskLoss, consistency], [task, divergence.reduce((a, b) => a + b) / rows.length], 2e-5)
  assert.ok(consistency > 1e-4)
})

test('experts for each row are refused for queries and keys, and taken for values', async () => {
  const subject = changed('deberta-v2-cls-lora/base', {}, 'sequence-classification', 3)
  const opened = (of: object) => {
    const { method, state } = prepare(subject, adamix, { of, experts: 2, routing: { name: 'uniform', per: 'example' } })
    return openStep(subject, copyOf(state), stepOptions(method))
  }
  await assert.rejects(opened({ name: 'lora', targets }), /key_proj" reads the model's relative positions, too/)
  const training = await opened({ name: 'lora', targets: ['value'] })
  assert.ok(Number.isFinite((await training.run([rows], { seed: 1, step: 0 }, 1e-3)).taskLoss))
  await training.close()
})

for (const [fields, message] of [
  [{ conv_kernel_size: 3 }, /"conv_kernel_size" cannot be used: the convolution of DeBERTa-v2-xlarge is not supported/],
  [{ pooler_hidden_size: 16 }, /"pooler_hidden_size" cannot be used: the pooler must be as wide as the model/],
  [{ position_buckets: 100 }, /"position_buckets" cannot be used: there must be fewer than twice the positions/],
] as const) {
  test(`${JSON.stringify(fields)} is refused`, () => {
    assert.throws(() => changed('deberta-v2-cls-lora/base', fields, 'sequence-classification', 3), message)
  })
}
