import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { outline } from '../evaluate/assembly.ts'
import { heads } from '../heads/index.ts'
import { lora } from '../methods/lora.ts'
import type { Tensor } from '../nn/method.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import { describeAdapter, loadAdapter } from './index.ts'

const { model } = tinySubject()
const subject = { model, outline: outline({ model, head: heads['sequence-classification'], labels: 3 }) }
const LAYER = 'bert.encoder.layer.0'
const queries = ['bert.encoder.layer.0.attention.self.query', 'bert.encoder.layer.1.attention.self.query']
const minimal = { peft_type: 'LORA', task_type: 'SEQ_CLS', r: 2, lora_alpha: 6, target_modules: ['query'] }
const refuses = (run: () => unknown, pattern: RegExp): void =>
  assert.throws(run, (error) => error instanceof UserError && pattern.test(error.message))
const tensor = (...shape: number[]): Tensor => ({ shape, data: new Float32Array(shape.reduce((n, dim) => n * dim, 1)).fill(0.5) })
const head: [string, Tensor][] = [
  ['base_model.model.classifier.weight', tensor(3, 16)],
  ['base_model.model.classifier.bias', tensor(3)],
]
const factors = (modules: readonly string[], r = 2): [string, Tensor][] =>
  modules.flatMap((name): [string, Tensor][] => [
    [`base_model.model.${name}.lora_A.weight`, tensor(r, 16)],
    [`base_model.model.${name}.lora_B.weight`, tensor(16, r)],
  ])

/** A folder as Python leaves it: no note of adatune's. */
function foreign(config: object, tensors: Iterable<readonly [string, Tensor]>): string {
  const folder = join(temporaryFolder(), 'python')
  mkdirSync(folder)
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config))
  writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors, { format: 'pt' })
  return folder
}

test('a config of Python alone is enough, and its words are kept', () => {
  const python = { ...minimal, target_modules: ['query', 'q_proj'], layers_to_transform: 1, lora_dropout: 0.25, exclude_modules: ['key'] }
  const folder = foreign(python, [...factors(queries.slice(1)), ...head])
  assert.deepEqual(describeAdapter(folder), {
    task: 'sequence-classification',
    labels: null,
    outputs: 3,
    baseModel: null,
    adapterName: null,
    totalSteps: null,
  })
  const { options, state } = loadAdapter(folder, subject)
  assert.deepEqual(
    options,
    lora.options.parse({ name: 'lora', r: 2, alpha: 6, dropout: 0.25, targets: ['query'], exclude: ['key'], layers: [1] }),
  )
  assert.deepEqual([...state.keys()], [`${queries[1]}.A.weight`, `${queries[1]}.B.weight`, 'classifier.weight', 'classifier.bias'])
  assert.equal(state.get('classifier.bias')!.data[0], 0.5)
})

test('expressions, and modules saved whole, follow the rules of PEFT', () => {
  const pooler: [string, Tensor][] = [
    ['base_model.model.bert.pooler.dense.weight', tensor(16, 16)],
    ['base_model.model.bert.pooler.dense.bias', tensor(16)],
  ]
  const config = { ...minimal, target_modules: '.*(query|pooler\\.dense)', modules_to_save: ['pooler'], exclude_modules: '.*\\.1\\..*' }
  const { options, state } = loadAdapter(foreign(config, [...factors(queries.slice(0, 1)), ...head, ...pooler]), subject)
  assert.deepEqual(options.name === 'lora' && options.targets, [queries[0]])
  assert.ok(state.has('bert.pooler.dense.weight'))
})

test('what an adapter needs and adatune lacks is refused by name', () => {
  const cases: Record<string, unknown> = {
    layer_replication: [[0, 2]],
    target_parameters: ['weight'],
    trainable_token_indices: [1],
    lora_bias: true,
    megatron_config: { a: 1 },
    loftq_config: { loftq_bits: 4 },
    init_lora_weights: 'pissa_niter_4',
    use_qalora: true,
    use_bdlora: { nblocks: 2 },
    alora_invocation_tokens: [3],
    layers_pattern: 'layer',
    from_the_future: 1,
    peft_type: 'LOHA',
    task_type: 'IMAGE_CLS',
    bias: 'some',
    r: 0,
    lora_alpha: 'much',
  }
  for (const [field, value] of Object.entries(cases)) {
    const folder = foreign({ ...minimal, [field]: value }, [...factors(queries), ...head])
    refuses(() => loadAdapter(folder, subject), new RegExp(`adapter_config\\.json.*"${field}"`))
  }
  loadAdapter(
    foreign({ ...minimal, use_dora: false, loftq_config: {}, init_lora_weights: 'gaussian' }, [...factors(queries), ...head]),
    subject,
  )
})

test('tensors that are missing, too many or of another shape are named', () => {
  refuses(
    () => loadAdapter(foreign(minimal, [...factors(queries.slice(0, 1)), ...head]), subject),
    /lacks 2 tensors: ".*layer\.1.*query\.lora_A\.weight", ".*layer\.1.*query\.lora_B\.weight"/,
  )
  const warned: string[] = []
  const { state } = loadAdapter(foreign({ ...minimal, layers_to_transform: [0] }, [...factors(queries), ...head]), subject, (message) =>
    warned.push(message),
  )
  assert.equal(state.size, 4)
  assert.equal(warned.length, 1)
  assert.match(
    warned[0]!,
    /also holds 2 tensors: ".*layer\.1.*lora_A\.weight", ".*layer\.1.*lora_B\.weight", with no place here; passed over/,
  )
  refuses(() => loadAdapter(foreign(minimal, [...factors(queries, 3), ...head]), subject), /lora_A\.weight" is \[3,16\].*\[2,16\]/)
  refuses(() => loadAdapter(foreign({ ...minimal, target_modules: ['q_proj'] }, head), subject), /"target_modules" names no module/)
  refuses(
    () => loadAdapter(foreign({ ...minimal, target_modules: ['query', 'word_embeddings'] }, head), subject),
    /word_embeddings", which is no linear map/,
  )
})

test('a file that torch did not save is refused with what to do', () => {
  const folder = join(temporaryFolder(), 'pickle')
  mkdirSync(folder)
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(minimal))
  writeFileSync(join(folder, 'adapter_model.bin'), '')
  refuses(() => describeAdapter(folder), /adapter_model\.bin: it is no zip file.*save it again, as safetensors/)
})

test("with every bias trained, the copies of PEFT's wrapper are passed over", () => {
  const targeted = queries.map((name): [string, Tensor] => [`base_model.model.${name}.base_layer.bias`, tensor(16)])
  const biases = [...subject.outline.base.values()].filter(({ name }) => /^bert.*(?<!query)\.bias$/.test(name))
  const plain = biases.map(({ name, shape }): [string, Tensor] => [`base_model.model.${name}`, tensor(...shape)])
  const copies = ['original_module', 'modules_to_save'].map((copy): [string, Tensor] => [
    `base_model.model.classifier.${copy}.bias`,
    tensor(3),
  ])
  const { state } = loadAdapter(
    foreign({ ...minimal, bias: 'all' }, [...factors(queries), ...head, ...targeted, ...plain, ...copies]),
    subject,
  )
  const trained = [...subject.outline.base.keys()].filter((name) => name.endsWith('.bias'))
  const inFactors = queries.flatMap((name) => [`${name}.A.weight`, `${name}.B.weight`])
  assert.deepEqual([...state.keys()].sort(), [...trained, ...inFactors, 'classifier.weight'].sort())
  assert.ok(state.has(`${LAYER}.output.LayerNorm.bias`))
})

test('VeRA without its projections is refused with what to do', () => {
  const config = { peft_type: 'VERA', task_type: 'SEQ_CLS', r: 2, target_modules: ['query'], save_projection: false }
  const scales = queries.flatMap((name): [string, Tensor][] => [
    [`base_model.model.${name}.vera_lambda_d`, tensor(2)],
    [`base_model.model.${name}.vera_lambda_b`, tensor(16)],
  ])
  refuses(() => loadAdapter(foreign(config, [...scales, ...head]), subject), /"save_projection" is false.*save_projection=True/)
  const whole: [string, Tensor][] = [...scales, ...head, ['base_model.vera_A', tensor(2, 16)], ['base_model.vera_B', tensor(16, 2)]]
  const { state } = loadAdapter(foreign({ ...config, save_projection: true }, whole), subject)
  assert.deepEqual(state.get('shared.B.weight')!.shape, [16, 2])
})
