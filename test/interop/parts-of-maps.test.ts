import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../src/errors.ts'
import { openAdapted } from '../../src/evaluate/adapted.ts'
import { findModel } from '../../src/evaluate/find-model.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { openTask } from '../../src/evaluate/open-task.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { saveAdapter } from '../../src/formats/index.ts'
import { convertAdapter } from '../../src/merging/convert.ts'
import { adaloraOptions } from '../../src/methods/adalora.ts'
import type { MethodOptions } from '../../src/methods/index.ts'
import { loraOptions } from '../../src/methods/lora.ts'
import { assertNear, disturb, temporaryFolder } from '../behaviour/tiny-model.ts'

const here = dirname(fileURLToPath(import.meta.url))
const model = join(here, '../golden/gpt2-clm-lora/base')
/** What `convert` makes of the LoRA below, with the logits that PEFT gave of it. */
const whole = join(here, 'gpt2/parts')
const { rows, logits: expected } = JSON.parse(readFileSync(join(whole, 'logits.json'), 'utf8')) as {
  rows: number[][]
  logits: number[][][]
}

/** An adapter with random numbers, saved. */
async function saved(options: MethodOptions): Promise<string> {
  const open = openTask(await findModel(model), 'causal-lm', [])
  const state = initialState(open.subject, open.outline, methodFor(open.subject, open.outline, options), 1)
  disturb(state, /\.(A|B|E)\.weight$/, 0.4)
  const folder = join(temporaryFolder(), 'adapter')
  const card = { task: 'causal-lm', labels: null, outputs: null, baseModel: null, adapterName: null, totalSteps: null } as const
  saveAdapter(folder, { options, memory: null, state, card }, { model: open.subject.model, outline: open.outline })
  return folder
}

async function logits(adapter: string): Promise<number[]> {
  const predictor = await openPredictor({ model, adapter, task: 'causal-lm' })
  const answers = await predictor.predict(
    rows.map((input_ids) => ({ input_ids })),
    { logits: true },
  )
  await predictor.close()
  return answers.flatMap((answer) => (Object.values(answer)[0] as number[][]).flat())
}

const targets = ['query', 'value', 'c_fc']
const parts = loraOptions.parse({
  name: 'lora',
  r: 2,
  alpha: 3,
  targets,
  rankPattern: { 'h.1.attn.c_attn.value': 3 },
  exclude: ['transformer.h.2.attn.c_attn.query'],
})

test("LoRA on parts of a map is adatune's own, and PEFT answers alike by what convert makes of it", async () => {
  const folder = await saved(parts)
  const made = join(temporaryFolder(), 'whole')
  const { out, modules, r, logitGap } = await convertAdapter({ model, adapter: folder, out: made })
  assert.deepEqual([out, modules.length, r], [made, 6, 5])
  assert.ok(logitGap < 1e-5, String(logitGap))
  const flat = expected.flat(2)
  assertNear(await logits(folder), flat, 2e-5)
  assertNear(await logits(made), flat, 2e-5)
  const [given, kept] = [made, whole].map((at) => ({
    config: JSON.parse(readFileSync(join(at, 'adapter_config.json'), 'utf8')),
    tensors: readFileSync(join(at, 'adapter_model.safetensors')).toString('hex'),
  }))
  assert.deepEqual(given, kept)
  await assert.rejects(convertAdapter({ model, adapter: made, out: join(temporaryFolder(), 'twice') }), (error) => {
    return error instanceof UserError && /is plain LoRA already/.test(error.message)
  })
})

test('AdaLoRA on parts of a map becomes LoRA on the whole, too', async () => {
  const folder = await saved(adaloraOptions.parse({ name: 'adalora', initR: 3, targetR: 2, targets: ['key', 'value'] }))
  const made = join(temporaryFolder(), 'whole')
  await convertAdapter({ model, adapter: folder, out: made })
  const { adapter } = openAdapted(await findModel(model), { adapter: made, task: 'causal-lm', labels: null })
  assert.deepEqual(
    [...adapter!.state.keys()].filter((name) => name.endsWith('.A.weight')),
    [0, 1, 2].map((layer) => `transformer.h.${layer}.attn.c_attn.A.weight`),
  )
  assertNear(await logits(made), await logits(folder), 2e-5)
})

test('magnitudes of parts are not those of the whole: DoRA is refused', async () => {
  const folder = await saved(loraOptions.parse({ name: 'lora', r: 2, targets: ['query'], dora: true }))
  await assert.rejects(convertAdapter({ model, adapter: folder, out: join(temporaryFolder(), 'whole') }), (error) => {
    return error instanceof UserError && /no factors of an increment; those of AdaLoRA and of LoRA without dora are/.test(error.message)
  })
})
