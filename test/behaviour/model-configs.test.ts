import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outline } from '../../src/evaluate/assembly.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { createGraph, input, type Value } from '../../src/graph/graph.ts'
import type { TaskName } from '../../src/heads/index.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import type { HeadKind } from '../../src/nn/head-kind.ts'
import { createNetwork } from '../../src/nn/network.ts'
import { bareSubject } from './tiny-model.ts'

const vocabulary = { vocab_size: 50, max_position_embeddings: 24 }
const encoder = { ...vocabulary, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32 }
/** The fewest fields of each architecture. */
const configs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  bert: encoder,
  roberta: encoder,
  electra: encoder,
  albert: encoder,
  mpnet: encoder,
  'deberta-v2': encoder,
  modernbert: encoder,
  distilbert: { ...vocabulary, dim: 16, n_layers: 2, n_heads: 2, hidden_dim: 32 },
  gpt2: { vocab_size: 50, n_embd: 16, n_layer: 2, n_head: 2, n_positions: 24 },
  llama: encoder,
  qwen2: encoder,
  qwen3: encoder,
  gemma2: encoder,
  t5: { vocab_size: 50, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 2, num_heads: 2 },
  bart: {
    ...{ ...vocabulary, d_model: 16, encoder_layers: 2, encoder_attention_heads: 2, encoder_ffn_dim: 32 },
    ...{ decoder_layers: 2, decoder_attention_heads: 2, decoder_ffn_dim: 32 },
  },
}
const wired = (type: string, fields: object = {}, task: TaskName = 'sequence-classification') =>
  bareSubject({ model_type: type, ...configs[type], ...fields }, task)

for (const type of ['bert', 'roberta', 'distilbert', 'electra', 'deberta-v2', 'mpnet', 'albert', 'modernbert']) {
  test(`${type}: words that are not tied to the masked-LM head are two tables`, () => {
    const tables = (tied: boolean) =>
      [...outline(wired(type, { tie_word_embeddings: tied }, 'masked-lm')).base.values()].filter(
        ({ shape }) => shape.length === 2 && shape[0] === vocabulary.vocab_size,
      )
    assert.equal(tables(true).length, 1)
    assert.equal(tables(false).length, 2)
  })
}

const bertLike = ['bert', 'roberta', 'electra', 'albert', 'mpnet', 'deberta-v2', 'modernbert']
for (const [type, heads] of [
  ...bertLike.map((type) => [type, 'num_attention_heads']),
  ['distilbert', 'n_heads'],
  ['gpt2', 'n_head'],
  ['bart', 'encoder_attention_heads'],
  ['bart', 'decoder_attention_heads'],
] as [string, string][]) {
  test(`${type}: ${heads} must divide the width`, () => {
    assert.throws(
      () => wired(type, { [heads]: 3 }),
      new RegExp(`"${heads}" cannot be used: the heads together must be as wide as the model`),
    )
  })
}

for (const [type, names] of Object.entries({
  bert: ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout'],
  electra: ['summary_first_dropout', 'summary_last_dropout'],
  albert: ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout_prob'],
  'deberta-v2': ['pooler_dropout', 'cls_dropout'],
  modernbert: ['attention_dropout', 'embedding_dropout', 'mlp_dropout', 'classifier_dropout'],
  distilbert: ['dropout', 'attention_dropout', 'seq_classif_dropout', 'qa_dropout'],
  gpt2: ['resid_pdrop', 'embd_pdrop', 'attn_pdrop', 'classifier_dropout', 'hidden_dropout'],
  llama: ['attention_dropout', 'classifier_dropout', 'hidden_dropout'],
  t5: ['dropout_rate'],
  bart: ['dropout', 'attention_dropout', 'activation_dropout'],
})) {
  test(`${type}: dropout keeps something`, () => {
    for (const name of names) {
      for (const value of [1, 1.2, -0.1]) assert.throws(() => wired(type, { [name]: value }), new RegExp(`"${name}" cannot be used`))
    }
  })
}

for (const [type, fields, message] of [
  ['deberta-v2', { position_buckets: 1 }, /"position_buckets" cannot be used: .*at least 4/],
  ['deberta-v2', { position_buckets: 3 }, /"position_buckets" cannot be used: .*at least 4/],
  ['t5', { relative_attention_num_buckets: 3 }, /"relative_attention_num_buckets" cannot be used/],
  ['t5', { relative_attention_max_distance: 16 }, /"relative_attention_max_distance" cannot be used: .*more than half/],
  ['bart', { encoder_layerdrop: 0.1 }, /"encoder_layerdrop" cannot be used: .*set it to 0/],
  ['bart', { decoder_layerdrop: 0.1 }, /"decoder_layerdrop" cannot be used: .*set it to 0/],
  ['llama', { rope_scaling: { type: 'linear', rope_type: 'default', factor: 2 } }, /"rope_scaling.type" cannot be used: .*rope_type/],
] as const) {
  test(`${type}: ${JSON.stringify(fields)} is refused`, () => {
    assert.throws(() => wired(type, fields), message)
  })
}

test('layers of BART may be dropped never, and the two names of a way of scaling agree', () => {
  wired('bart', { encoder_layerdrop: 0, decoder_layerdrop: 0 })
  wired('llama', { rope_scaling: { type: 'linear', rope_type: 'linear', factor: 2 } })
})

test('ELECTRA has no multiple choice where its summary goes to the labels', () => {
  const heads = (fields: object) => Object.keys(wired('electra', fields).model.wiring.heads)
  assert.ok(heads({}).includes('multiple-choice'))
  assert.ok(!heads({ summary_proj_to_labels: true }).includes('multiple-choice'))
})

/** The probabilities of what a head drops. */
function droppedBy(type: string, kind: HeadKind, fields: object): (number | null)[] {
  const { wiring } = wired(type, fields).model
  const graph = createGraph()
  const { network } = createNetwork({
    graph,
    method: inPlace('none', () => false),
    training: true,
    locate: () => null,
    trains: () => false,
  })
  const seen: (number | null)[] = []
  const dropout = (x: Value, p: number | null): Value => {
    seen.push(p)
    return x
  }
  wiring.heads[kind]!.logits({ ...network, dropout }, input(graph, 'x', graph.float, ['tokens', wiring.hidden]), 2)
  return seen.filter((p) => p !== null)
}

for (const type of ['gpt2', 'llama', 'qwen2', 'qwen3', 'gemma2']) {
  test(`${type}: the head for tokens drops what the config says, else a tenth`, () => {
    const dropped = (fields: object) => droppedBy(type, 'token-classification', fields)
    assert.deepEqual(dropped({ classifier_dropout: 0.3, hidden_dropout: 0.2 }), [0.3])
    assert.deepEqual(dropped({ classifier_dropout: null, hidden_dropout: 0.2 }), [0.2])
    assert.deepEqual(dropped({}), [0.1])
  })
}

test("ELECTRA's summary drops before its map where the config says so", () => {
  const dropped = (fields: object) => droppedBy('electra', 'multiple-choice', { summary_last_dropout: 0.2, ...fields })
  assert.deepEqual(dropped({ summary_first_dropout: 0.3 }), [0.3, 0.2])
  assert.deepEqual(dropped({ summary_first_dropout: 0 }), [0.2])
  assert.deepEqual(dropped({}), [0.2])
})

for (const [type, starts] of Object.entries({
  bert: { 'bert.encoder.layer.0.output.LayerNorm.weight': 1, 'bert.encoder.layer.0.output.LayerNorm.bias': 0 },
  gpt2: { 'transformer.h.0.ln_1.weight': 1, 'transformer.h.0.ln_1.bias': 0, 'transformer.ln_f.weight': 1 },
  llama: { 'model.layers.0.input_layernorm.weight': 1, 'model.norm.weight': 1 },
  gemma2: { 'model.layers.0.input_layernorm.weight': 0, 'model.norm.weight': 0 },
  t5: { 'encoder.block.0.layer.0.layer_norm.weight': 1, 'decoder.final_layer_norm.weight': 1 },
})) {
  test(`${type}: norms that a checkpoint lacks change nothing at first`, () => {
    const subject = wired(type, {}, type === 't5' ? 'seq2seq-lm' : 'sequence-classification')
    const whole = inPlace('whole', () => true)
    const state = initialState(subject, outline(subject), whole, 1)
    for (const [name, start] of Object.entries(starts)) {
      const { data } = state.get(name)!
      assert.deepEqual(data, new Float32Array(data.length).fill(start), name)
    }
  })
}
