import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { TaskName } from '../heads/index.ts'
import { untouched } from '../methods/in-place.ts'
import { methodOptions } from '../methods/index.ts'
import { openConfig } from '../models/open.ts'
import { inspectMethod, type MethodInspection, moduleGroups } from './inspection.ts'
import { type OpenTask, openTask } from './open-task.ts'

const root = mkdtempSync(join(tmpdir(), 'inspection-'))
after(() => rmSync(root, { recursive: true }))

/** A model of which there is a config and nothing else. */
function bare(config: Readonly<Record<string, unknown>>, task: TaskName = 'sequence-classification'): OpenTask {
  const folder = mkdtempSync(join(root, 'model-'))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  return openTask(openConfig(folder), task, task === 'sequence-classification' ? ['no', 'yes'] : [])
}

const base = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 }
const large = { hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, intermediate_size: 4096 }
const robertaFields = { model_type: 'roberta', vocab_size: 50265, max_position_embeddings: 514, type_vocab_size: 1, pad_token_id: 1 }
const models = {
  bert: bare({ model_type: 'bert', vocab_size: 30522, max_position_embeddings: 512, ...base }),
  roberta: bare({ ...robertaFields, ...base }),
  robertaLarge: bare({ ...robertaFields, ...large }),
  deberta: bare({
    ...{ model_type: 'deberta-v2', vocab_size: 128_100, max_position_embeddings: 512, type_vocab_size: 0, position_biased_input: false },
    ...{ relative_attention: true, position_buckets: 256, norm_rel_ebd: 'layer_norm', share_att_key: true, pos_att_type: 'p2c|c2p' },
    ...base,
  }),
  bart: bare(
    {
      ...{ model_type: 'bart', vocab_size: 50265, max_position_embeddings: 1024, d_model: 768, encoder_layers: 6, decoder_layers: 6 },
      ...{ encoder_attention_heads: 12, decoder_attention_heads: 12, encoder_ffn_dim: 3072, decoder_ffn_dim: 3072 },
      ...{ pad_token_id: 1, bos_token_id: 0, eos_token_id: 2, decoder_start_token_id: 2 },
    },
    'seq2seq-lm',
  ),
  t5: bare(
    {
      ...{ model_type: 't5', vocab_size: 32128, d_model: 768, d_kv: 64, d_ff: 3072, num_layers: 12, num_heads: 12 },
      ...{ pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 },
    },
    'seq2seq-lm',
  ),
  llama: bare(
    {
      ...{ model_type: 'llama', vocab_size: 32000, hidden_size: 4096, intermediate_size: 11008, num_hidden_layers: 32 },
      ...{ num_attention_heads: 32, num_key_value_heads: 32, max_position_embeddings: 4096 },
    },
    'causal-lm',
  ),
  qwen: bare(
    {
      ...{ model_type: 'qwen2', vocab_size: 151_936, hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24 },
      ...{ num_attention_heads: 14, num_key_value_heads: 2, max_position_embeddings: 32768, tie_word_embeddings: true },
    },
    'causal-lm',
  ),
}

function inspected(model: keyof typeof models, options: Readonly<Record<string, unknown>>): MethodInspection {
  const { subject, outline } = models[model]
  return inspectMethod(subject, outline, methodOptions.parse(options))
}

const bottleneck = (variant: string, rest: object) => ({ name: 'bottleneck', variant, ...rest })
const adamix = (size: number) => ({ name: 'adamix', of: { name: 'bottleneck', variant: 'ffn-output', size } })
/** PEFT's targets for BERT, which also take what enters the output of the attention. */
const peftIa3 = { targets: ['key', 'value', 'output.dense'], feedForward: ['output.dense'] }
const sixLinear = ['query', 'key', 'value', 'attention-output', 'up', 'down']

/** Weights of the merged form as papers and libraries give them, and in training where that differs. */
const published: [keyof typeof models, Readonly<Record<string, unknown>>, number, number?][] = [
  ['bert', { name: 'lora', r: 8 }, 294_912],
  ['bert', { name: 'lora', r: 8, targets: 'all-linear' }, 1_339_392],
  ['bert', { name: 'adalora', initR: 12, targetR: 8, targets: ['query', 'value'] }, 295_104, 442_656],
  ['bert', { name: 'adalora', initR: 3, targetR: 1, targets: sixLinear }, 165_960, 497_880],
  ['bart', { name: 'lora', r: 8 }, 442_368],
  ['t5', { name: 'lora', r: 8 }, 884_736],
  ['t5', { name: 'ia3' }, 129_024],
  ['llama', { name: 'lora', r: 8 }, 4_194_304],
  ['qwen', { name: 'lora', r: 8 }, 540_672],
  ['bert', { name: 'lora', r: 8, dora: true }, 313_344],
  ['bert', { name: 'lora', r: 4, init: 'pissa' }, 294_912, 147_456],
  ['bert', { name: 'ia3' }, 12 * (768 + 768 + 3072)],
  ['bert', { name: 'ia3', ...peftIa3 }, 64_512],
  ['bert', { name: 'prompt', tokens: 20 }, 15_360],
  ['bert', { name: 'prefix', tokens: 20 }, 368_640],
  ['bert', { name: 'prefix', tokens: 20, projection: true }, 368_640, 14_780_160],
  ['robertaLarge', { name: 'prefix', tokens: 20 }, 983_040],
  ['bert', { name: 'prompt', tokens: 20, encoder: 'mlp', width: 128 }, 15_360, 229_376],
  ['bert', { name: 'vera' }, 24 * (256 + 768)],
  ['roberta', { name: 'vera', r: 1024 }, 43_008],
  ['robertaLarge', { name: 'vera' }, 61_440],
  ['robertaLarge', { name: 'ia3', ...peftIa3 }, 172_032],
  ['bert', { name: 'bitfit' }, 102_912],
  ['bert', { name: 'head' }, 0],
  ['bert', { name: 'full' }, 109_482_240],
  ['bert', bottleneck('houlsby', { size: 48 }), 1_789_056],
  ['bert', bottleneck('pfeiffer', { size: 48 }), 894_528],
  ['bert', bottleneck('parallel', { reduction: 2 }), 7_091_712],
  ['bert', adamix(48), 894_528, 2_223_360],
  ['roberta', { name: 'lora', r: 8 }, 294_912],
  ['robertaLarge', { name: 'lora', r: 8 }, 786_432],
  ['robertaLarge', { name: 'bitfit' }, 271_360],
  ['robertaLarge', bottleneck('pfeiffer', { size: 16 }), 811_392],
  ['robertaLarge', bottleneck('pfeiffer', { size: 64 }), 3_171_840],
  ['robertaLarge', bottleneck('houlsby', { size: 8 }), 835_968],
  ['robertaLarge', bottleneck('houlsby', { size: 64 }), 6_343_680],
  ['robertaLarge', adamix(16), 811_392, 1_992_192],
  ['deberta', { name: 'lora', r: 8 }, 294_912],
  ['deberta', { name: 'bitfit' }, 103_680],
  ['deberta', { name: 'lora', r: 2, targets: sixLinear }, 331_776],
  ['deberta', { name: 'lora', r: 8, targets: sixLinear }, 1_327_104],
  ['deberta', { name: 'adalora', initR: 3, targetR: 1, targets: sixLinear }, 165_960, 497_880],
  ['deberta', { name: 'adalora', initR: 12, targetR: 8, targets: sixLinear }, 1_327_680, 1_991_520],
  ['deberta', bottleneck('pfeiffer', { size: 8 }), 156_768],
  ['deberta', bottleneck('pfeiffer', { size: 64 }), 1_189_632],
  ['deberta', bottleneck('houlsby', { size: 64 }), 2_379_264],
]

for (const [model, options, merged, training = merged] of published) {
  test(`weights of ${JSON.stringify(options)} on ${model} are as published`, () => {
    const found = inspected(model, options)
    assert.equal(found.merged.weights, merged)
    assert.equal(found.training.weights, training)
  })
}

test('models with a head of two labels have the totals of transformers, and the head counts apart', () => {
  const totals = (['bert', 'roberta', 'robertaLarge', 'deberta'] as const).map((model) => inspected(model, { name: 'lora' }).base.withHead)
  assert.deepEqual(totals, [109_483_778, 124_647_170, 355_361_794, 184_423_682])
  assert.equal(inspected('roberta', { name: 'lora', r: 8 }).merged.withHead, 887_042)
  assert.equal(inspected('bert', { name: 'lora', r: 8 }).merged.withHead, 294_912 + 1_538)
  // HF's pooler of DeBERTa lies outside of its base model, and is no part of the head for PEFT.
  assert.equal(inspected('deberta', { name: 'lora', r: 8 }).merged.withHead, 294_912 + 1_538)
})

test("the budgets of AdaLoRA's paper on DeBERTaV3-base, 0.08 to 0.65 %, are mean ranks of 1, 2, 4 and 8", () => {
  const shares = [1, 2, 4, 8].map((targetR) => {
    const { merged } = inspected('deberta', { name: 'adalora', initR: 12, targetR, targets: sixLinear })
    return (100 * merged.shareOfModel).toFixed(3)
  })
  assert.deepEqual(shares, ['0.090', '0.180', '0.360', '0.720'])
})

test('shares are of the base with its head and without, bytes those of the merged form', () => {
  const { merged, training, adapterBytes } = inspected('robertaLarge', adamix(16))
  assert.equal((100 * merged.shareOfModel).toFixed(3), '0.228')
  assert.equal((100 * training.shareOfModel).toFixed(2), '0.56')
  assert.equal(merged.shareOfBase, 811_392 / 354_310_144)
  assert.equal(merged.withHeadShareOfModel, (811_392 + 1_051_650) / 355_361_794)
  assert.equal(adapterBytes, 4 * (811_392 + 1_051_650))
})

test('operations of a forward pass are those of its matrix products', () => {
  const [h, layers, length] = [768, 12, 128]
  // Of the last layer the head reads the first token alone: what follows its attention is made for that one.
  const encoder = (length: number): number =>
    (layers - 1) * (24 * h * h + 4 * length * h) + 6 * h * h + 4 * length * h + (18 * h * h) / length
  const model = encoder(length) + (2 * h * h + 4 * h) / length
  const { subject, outline } = models.bert
  const lora = inspected('bert', { name: 'lora', r: 8 })
  assert.equal(lora.base.forwardFlopsPerToken, model)
  assert.equal(lora.merged.forwardFlopsPerToken, model + layers * 2 * 2 * (h * 8 + 8 * h))
  const long = inspectMethod(subject, outline, methodOptions.parse({ name: 'lora' }), { length: 512, rows: 3 })
  assert.equal(long.base.forwardFlopsPerToken, encoder(512) + (2 * h * h + 4 * h) / 512)
})

test('a pruned form costs as much as uniform ranks, a mixture in training two passes', () => {
  const lora = inspected('bert', { name: 'lora', r: 8, targets: sixLinear })
  const adalora = inspected('bert', { name: 'adalora', initR: 12, targetR: 8, targets: sixLinear })
  const near = (a: number, b: number): void => assert.ok(Math.abs(a / b - 1) < 1e-12, `${a} and ${b}`)
  near(adalora.merged.forwardFlopsPerToken, lora.merged.forwardFlopsPerToken)
  assert.ok(adalora.training.forwardFlopsPerToken > adalora.merged.forwardFlopsPerToken)

  const mixture = inspected('bert', adamix(48))
  assert.equal(mixture.merged.forwardFlopsPerToken, inspected('bert', bottleneck('ffn-output', { size: 48 })).merged.forwardFlopsPerToken)
  assert.equal(mixture.passes, 2)
  // Besides the passes there is only the drawing of experts.
  const ratio = mixture.training.forwardFlopsPerToken / mixture.merged.forwardFlopsPerToken
  assert.ok(ratio > 2 && ratio < 2.001, String(ratio))
})

test('a budget becomes the largest size within it', () => {
  const { options, merged } = inspected('bert', { name: 'lora', budget: '300k' })
  assert.deepEqual([options.name === 'lora' && options.r, merged.weights], [8, 294_912])
  const mixture = inspected('robertaLarge', { name: 'adamix', budget: '0.23%' })
  assert.equal(mixture.merged.weights, 811_392)
})

test('modules are grouped by pattern with what is added to them', () => {
  const { modules, inPlace } = inspected('bert', { name: 'lora', r: 8, bias: 'lora_only', layers: 'last 3' })
  const at = 'bert.encoder.layer.*.attention.self'
  const group = { kind: 'linear', count: 3, in: 768, out: 768, weights: 36_864 }
  assert.deepEqual(modules, [
    { ...group, role: 'query', pattern: `${at}.query` },
    { ...group, role: 'value', pattern: `${at}.value` },
  ])
  assert.deepEqual(inPlace, [
    { pattern: `${at}.query.bias`, count: 3, weights: 3 * 768 },
    { pattern: `${at}.value.bias`, count: 3, weights: 3 * 768 },
  ])
  const linear = moduleGroups(
    models.bert.outline.sites.filter(({ kind }) => kind === 'linear'),
    untouched,
  )
  assert.deepEqual(
    linear.map(({ role, count }) => `${count} ${role}`),
    ['12 query', '12 key', '12 value', '12 attention-output', '12 up', '12 down', '1 pooler', '1 head'],
  )
})
