import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRun } from '../../src/config/parse.ts'
import { UserError } from '../../src/errors.ts'
import { openAdapted } from '../../src/evaluate/adapted.ts'
import { findModel } from '../../src/evaluate/find-model.ts'
import { loadAdapter, saveAdapter } from '../../src/formats/index.ts'
import { type MethodOptions, methodOptions, methods } from '../../src/methods/index.ts'
import { prepare as prepareRun } from '../../src/train/prepare.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { projectFolder } from '../cli/project.ts'
import { prepare, temporaryFolder, tinySubject } from './tiny-model.ts'

/*
 * What HF PEFT 0.21 and adapters 1.3 check for their users, row by row, with what adatune says. Rows about names of several adapters on one
 * model are in test/cli/several-adapters.test.ts; two AdaLoRA adapters in training, and wrapping twice, have no counterpart here.
 */

const project = projectFolder()
rmSync(join(project, 'model/tokenizer.json'))

/** Opens a run with a method's settings; nothing is trained. */
const run = (method: object, train: object = {}, more: object = {}) =>
  prepareRun(
    parseRun(
      {
        model: join(project, 'model'),
        task: 'sequence-classification',
        data: { train: join(project, 'train.jsonl') },
        method,
        train: { steps: 4, ...train },
        ...more,
      },
      'run.yaml',
    ),
  )

const threeClasses = { train: join(project, 'train.jsonl'), labels: ['a', 'no', 'yes'] }

const made = tinySubject()
const card = { task: 'sequence-classification', labels: null, outputs: 3, baseModel: null, adapterName: null, totalSteps: 9 } as const

interface Folder {
  readonly method?: { readonly name: MethodOptions['name']; readonly [key: string]: unknown }
  /** Changes to `adapter_config.json`. */
  readonly config?: object
  /** What becomes of the tensors' names: null for none. */
  readonly tensors?: (name: string) => string | null
  readonly without?: string
}

/** A saved adapter as Python could have left it, after some changes. */
function folderOf({ method = { name: 'lora', r: 2 }, config = {}, tensors = (name) => name, without }: Folder): string {
  const { shape, state } = prepare(made, methods[method.name], method)
  const folder = join(temporaryFolder(), 'adapter')
  const adapter = { options: methodOptions.parse(method) as MethodOptions, memory: null, state, card }
  saveAdapter(folder, adapter, { model: made.model, outline: shape })
  rmSync(join(folder, 'adatune.json'))
  const file = join(folder, 'adapter_config.json')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...config }))
  const kept = [...readHeader(join(folder, 'adapter_model.safetensors')).tensors].flatMap(([name, entry]) => {
    const now = tensors(name)
    return now === null ? [] : [[now, { shape: entry.shape, data: readTensor(entry) }] as const]
  })
  writeSafetensors(join(folder, 'adapter_model.safetensors'), kept)
  if (without) rmSync(join(folder, without))
  return folder
}

const { shape: outline } = prepare(made, methods.head)
const subject = { model: made.model, outline }

/** Loads such a folder; returns what it warns of. */
function load(given: Folder): string[] {
  const warnings: string[] = []
  loadAdapter(folderOf(given), subject, (message) => warnings.push(message))
  return warnings
}

const adalora = { name: 'adalora', initR: 4, targetR: 2 } as const
const refused: Readonly<Record<string, [action: () => unknown, says: RegExp]>> = {
  'no target matches': [() => run({ name: 'lora', targets: ['qurey'] }), /"qurey" matches no linear module.*Did you mean "query"/],
  'no target matches in the layers given': [
    () => run({ name: 'lora', targets: ['pooler'], layers: [1] }),
    /"exclude" and "layers" leave none of the targets/,
  ],
  ...Object.fromEntries(
    ['lora', 'bottleneck', 'bitfit', 'head', 'full'].map((name): [string, [() => unknown, RegExp]] => [
      `a layer that is not there, ${name}`,
      [() => run({ name, layers: [0, 12] }), /layers: there is no layer 12; this model has 2/],
    ]),
  ),
  'no target of a saved adapter matches': [() => load({ config: { target_modules: ['q_proj'] } }), /"target_modules" names no module/],
  'one of several targets matches nothing, in a run': [
    () => run({ name: 'lora', targets: ['query', 'vlaue'] }),
    /"vlaue" matches no.*"value"/,
  ],
  'a target is no linear layer': [() => run({ name: 'lora', targets: ['dropout'] }), /"dropout" matches no linear module of this model/],
  'a target of a saved adapter is no linear layer': [
    () => load({ config: { target_modules: ['query', 'LayerNorm'] } }),
    /"bert\.embeddings\.LayerNorm", which is no linear map/,
  ],
  'an unknown model_type': [
    () => {
      const folder = temporaryFolder()
      writeFileSync(join(folder, 'config.json'), '{"model_type": "berd"}')
      return run({ name: 'lora' }, {}, { model: folder })
    },
    /"berd".*bert/,
  ],
  'LoRA of rank 0': [() => run({ name: 'lora', r: 0 }), /"method\.r" is 0: must be at least 1/],
  'a saved LoRA of rank -1': [() => load({ config: { r: -1 } }), /"r" cannot be used: must be at least 1/],
  'AdaLoRA of a negative rank': [() => run({ ...adalora, initR: -1 }), /"method\.initR" is -1/],
  'AdaLoRA of rank 0': [() => run({ ...adalora, initR: 0 }), /"method\.initR" is 0/],
  'AdaLoRA with nothing to allocate': [() => run({ ...adalora, targetR: 4 }), /targetR 4 must be below initR 4/],
  'AdaLoRA without a budgeting phase': [
    () => run({ ...adalora, tInit: 3, tFinal: 1 }),
    /no budgeting phase: tInit 3 and tFinal 1 fill all 4/,
  ],
  'AdaLoRA with a negative weight of orthogonality': [() => run({ ...adalora, orthogonality: -1 }), /"method\.orthogonality" is -1/],
  'a saved AdaLoRA with a negative weight of orthogonality': [
    () => load({ method: adalora, config: { orth_reg_weight: -1 } }),
    /"orth_reg_weight" cannot be used/,
  ],
  'AdaLoRA with DoRA': [() => load({ method: adalora, config: { use_dora: true } }), /"use_dora" is true/],
  'AdaLoRA with LoftQ': [() => load({ method: adalora, config: { loftq_config: { loftq_bits: 4 } } }), /"loftq_config" is .*LoftQ/],
  'AdaLoRA given "r"': [() => run({ ...adalora, r: 4 }), /"method\.r" is not known\. Did you mean "initR" or "targetR"/],
  'an unknown task_type': [() => load({ config: { task_type: 'SEQ_CLASS' } }), /"SEQ_CLASS" is not supported yet; SEQ_CLS, TOKEN_CLS/],
  'an unknown bias': [() => run({ name: 'lora', bias: 'some' }), /"method\.bias" is "some".*none.*lora_only/],
  'an unknown start': [() => load({ config: { init_lora_weights: 'pisa' } }), /"init_lora_weights" is "pisa"/],
  'dropout above 1': [() => run({ name: 'lora', dropout: 1.5 }), /"method\.dropout" is 1\.5/],
  'a saved dropout above 1': [() => load({ config: { lora_dropout: 1.5 } }), /"lora_dropout" cannot be used/],
  'a pattern of layers': [() => load({ config: { layers_pattern: 'layer' } }), /"layers_pattern" is "layer"/],
  'an expression that is none': [() => load({ config: { target_modules: '(query' } }), /"target_modules" has the expression "\(query"/],
  'a pattern of ranks that is no expression': [
    () => run({ name: 'lora', rankPattern: { '(query': 2 } }),
    /rankPattern: "\(query" is no regular expression/,
  ],
  'a pattern of alphas that is no expression': [() => run({ name: 'lora', alphaPattern: { '*': 2 } }), /alphaPattern: "\*" is no regular/],
  'an expression without end': [() => load({ config: { rank_pattern: { '(.*)*x': 2 } } }), /"\(\.\*\)\*x", which takes too long/],
  'a start from a text without the text': [() => run({ name: 'prompt', init: 'text' }), /init: text needs the words in "text"/],
  'a start from a text without tokenizer': [() => run({ name: 'prompt', init: 'text', text: 'good or bad', tokens: 4 }), /tokenizer/],
  'a prompt with a field from the future': [
    () => load({ method: { name: 'prompt', init: 'random' }, config: { prompt_depth: 2 } }),
    /"prompt_depth" is 2: it is not known here/,
  ],
  'a text without a start from it': [() => run({ name: 'prompt', text: 'good or bad' }), /"text" is of use with init: text alone/],
  'a LoRA tensor is missing': [
    () => load({ tensors: (name) => (name.includes('lora_A') ? null : name) }),
    /lacks 4 tensors: ".*0.*query\.lora_A\.weight", .*1.*value\.lora_A\.weight/,
  ],
  'the head of a classifier is missing': [
    () => load({ tensors: (name) => (name.includes('classifier') ? null : name) }),
    /lacks 2 tensors: ".*classifier\.weight", ".*classifier\.bias"/,
  ],
  'a tensor of another shape': [() => load({ config: { r: 3 } }), /lora_A\.weight" is \[2,16\], but .* \[3,16\]/],
  'no adapter_config.json': [() => load({ without: 'adapter_config.json' }), /holds no adapter that is known/],
  'no tensors': [() => load({ without: 'adapter_model.safetensors' }), /adapter_model\.safetensors: there is no such file/],
  'an adapter of another method to go on from': [
    () => run({ name: 'bottleneck' }, {}, { adapter: folderOf({}), data: threeClasses }),
    /holds lora, but the run's method is bottleneck/,
  ],
  'a file for the folder to save in': [
    () => {
      const file = join(temporaryFolder(), 'file')
      writeFileSync(file, '')
      const { state } = prepare(made, methods.head)
      saveAdapter(file, { options: { name: 'head', layers: null }, memory: null, state, card }, subject)
    },
    /file: part of the path is no folder/,
  ],
  'a folder to save in that holds other things': [
    () => {
      const folder = join(temporaryFolder(), 'a')
      mkdirSync(folder)
      writeFileSync(join(folder, 'thesis.txt'), '')
      const { state } = prepare(made, methods.head)
      saveAdapter(folder, { options: { name: 'head', layers: null }, memory: null, state, card }, subject)
    },
    /holds "thesis\.txt", which adatune did not write/,
  ],
  'no head anywhere': [
    async () =>
      openAdapted(await findModel(join(project, 'model')), {
        adapter: folderOf({
          config: { task_type: null, modules_to_save: null },
          tensors: (name) => (name.includes('classifier') ? null : name),
        }),
        task: 'sequence-classification',
        labels: null,
      }),
    /holds no head, and .*model has none either/,
  ],
}

for (const [name, [action, says]] of Object.entries(refused)) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(
      async () => action(),
      (error) => {
        assert.ok(error instanceof UserError, String((error as Error).stack))
        assert.match(error.message, says)
        return true
      },
    )
  })
}

const accepted: Readonly<Record<string, [given: Folder, warns: RegExp | null]>> = {
  'one of several targets of a saved adapter matches nothing': [
    { config: { target_modules: ['query', 'value', 'q_proj'] } },
    /of "target_modules", "q_proj" match no module that is adapted/,
  ],
  'the base model has another name': [{ config: { base_model_name_or_path: 'some/other' } }, /made for the model "some\/other"/],
  'extra tensors': [
    { config: { layers_to_transform: [0] } },
    /also holds 4 tensors: ".*layer\.1.*lora_A\.weight",.*with no place here; passed over/,
  ],
  'AdaLoRA without total_step, which PEFT needs even for answers': [{ method: adalora, config: { total_step: null } }, null],
  'AdaLoRA with an "r", which PEFT ignores as well': [{ method: adalora, config: { r: 5 } }, null],
  'a number that no layer has, which PEFT passes over': [{ config: { layers_to_transform: [0, 1, 99] } }, null],
  'an expression with layers, which PEFT refuses': [{ config: { target_modules: '.*(query|value)', layers_to_transform: [0, 1] } }, null],
}

for (const [name, [given, warns]] of Object.entries(accepted)) {
  test(`accepted${warns ? ' with a warning' : ''}: ${name}`, () => {
    const warnings = load(given)
    assert.equal(warnings.length, warns ? 1 : 0, warnings.join('\n'))
    if (warns) assert.match(warnings[0]!, warns)
  })
}

test('accepted: a prompt to train on, which PEFT refuses', async () => {
  const method = { name: 'prompt', tokens: 3, init: 'random' } as const
  const { state } = await run(method, {}, { adapter: folderOf({ method }), data: threeClasses })
  assert.deepEqual(state.get('bert.embeddings.word_embeddings.prompt.weight')!.shape, [3, 16])
})
