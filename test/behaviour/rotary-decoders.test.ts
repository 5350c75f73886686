import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openForward } from '../../src/evaluate/forward.ts'
import { everywhere } from '../../src/heads/head.ts'
import { heads } from '../../src/heads/index.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { openModel } from '../../src/models/open.ts'
import { assertNear, temporaryFolder } from './tiny-model.ts'

const golden = join(import.meta.dirname, '../golden')
const none = inPlace('none', () => false)

/** A golden model, with other fields in its config. */
function changed(folder: string, fields: object) {
  const [from, to] = [join(golden, folder), temporaryFolder()]
  copyFileSync(join(from, 'model.safetensors'), join(to, 'model.safetensors'))
  const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'))
  writeFileSync(join(to, 'config.json'), JSON.stringify({ ...config, ...fields }))
  return openModel(to, (checkpoint) => checkpoint)
}

/** Logits of every token of each row, `[tokens * vocabulary]`. */
async function logitsOf(folder: string, fields: object, rows: readonly (readonly number[])[]): Promise<Float32Array[]> {
  const subject = { model: changed(folder, fields), head: everywhere(heads['causal-lm']), labels: 0 }
  const examples = rows.map((row) => {
    const ids = Int32Array.from(row)
    return { ids, types: new Int32Array(ids.length), mask: new Uint8Array(ids.length).fill(1), label: null, file: '', line: 0 }
  })
  const forward = await openForward(subject, none, new Map(), { batchSize: rows.length })
  const logits = await forward.logits(examples, new Map())
  await forward.close()
  return logits
}

const variants: { ids: number[]; cases: { fields: { rope_scaling: object | null; rope_theta: number }; logits: number[] }[] } = JSON.parse(
  readFileSync(join(golden, 'decoder-variants/expected.json'), 'utf8'),
)
const last = async (fields: object, width: number): Promise<Float32Array> =>
  (await logitsOf('decoder-variants', fields, [variants.ids]))[0]!.subarray(-width)

for (const { fields, logits } of variants.cases) {
  test(`logits are those of transformers with ${JSON.stringify(fields)}`, async () => {
    assertNear(await last(fields, logits.length), logits, 2e-4)
  })
}

test('transformers 5 keeps base and scaling in one field', async () => {
  const { fields, logits } = variants.cases.find(({ fields }) => fields.rope_scaling !== null && fields.rope_theta !== 10000)!
  const { rope_scaling, rope_theta } = fields
  const together = { rope_theta: undefined, rope_scaling: undefined, rope_parameters: { ...rope_scaling, rope_theta } }
  assertNear(await last(together, logits.length), logits, 2e-4)
})

const [short, long] = [
  [5, 17, 30, 8, 21],
  [9, 4, 33, 12, 7, 28, 40, 3, 19, 25],
]

for (const name of ['llama', 'qwen3', 'gemma2']) {
  test(`${name}: a row is answered alike beside a longer one`, async () => {
    const folder = `${name}-clm-full/base`
    const [alone] = await logitsOf(folder, {}, [short])
    const [beside] = await logitsOf(folder, {}, [short, long])
    assertNear(beside!, alone!, 1e-5)
  })
}

test('a token in layers with a window of n depends on so many before it as n - 1 in each layer can hand on', async () => {
  const fields = { layer_types: Array(3).fill('sliding_attention'), sliding_window: 3 }
  const width = 53
  const other = long.with(0, 11)
  const [a, b] = await logitsOf('gemma2-clm-full/base', fields, [long, other])
  const reach = 3 * 2
  assertNear(b!.subarray((reach + 1) * width), a!.subarray((reach + 1) * width), 1e-6)
  const at = (logits: Float32Array): Float32Array => logits.subarray(reach * width, (reach + 1) * width)
  assert.ok(at(a!).some((value, i) => Math.abs(value - at(b!)[i]!) > 1e-6))
})

test('Qwen has windows behind the first layers where the config does not name them', async () => {
  const unnamed = await logitsOf('qwen3-clm-full/base', { layer_types: null }, [long])
  assertNear(unnamed[0]!, (await logitsOf('qwen3-clm-full/base', {}, [long]))[0]!, 0)
  const without = await logitsOf('qwen3-clm-full/base', { layer_types: null, use_sliding_window: false }, [long])
  assert.ok(without[0]!.some((value, i) => Math.abs(value - unnamed[0]![i]!) > 1e-3))
})

test('a window that is null is none', async () => {
  const none = await logitsOf('qwen3-clm-full/base', { layer_types: null, use_sliding_window: false }, [long])
  assertNear((await logitsOf('qwen3-clm-full/base', { layer_types: null, sliding_window: null }, [long]))[0]!, none[0]!, 0)
})

for (const [fields, message] of [
  [
    { rope_scaling: { rope_type: 'longrope', factor: 2 } },
    /"rope_scaling.rope_type" cannot be used: .*known are default, linear, dynamic, llama3, yarn/,
  ],
  [{ rope_scaling: { type: 'llama3', factor: 8 } }, /"rope_scaling.low_freq_factor" cannot be used/],
  [{ num_key_value_heads: 3 }, /"num_key_value_heads" cannot be used: it must divide the number of heads/],
  [{ head_dim: 7 }, /"head_dim" cannot be used: the size of a head must be even/],
  [{ partial_rotary_factor: 0.5 }, /"partial_rotary_factor" cannot be used: only whole heads are turned/],
] as const) {
  test(`${JSON.stringify(fields)} is refused`, () => {
    assert.throws(() => changed('llama-clm-full/base', fields), message)
  })
}
