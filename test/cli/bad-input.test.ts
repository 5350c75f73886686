import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import {
  adatune,
  checkpoints,
  command,
  eventsOf,
  jsonLines,
  projectFolder,
  recordOf,
  repository,
  startNode,
  succeed,
  textRows,
  tokenRows,
  writeModel,
  writeRun,
} from './project.ts'

const base = projectFolder()
const trained = (async () => {
  writeRun(base, 'run.yaml', { train: { steps: 1 } })
  await succeed(['train', 'run.yaml', '--out', 'run', '--quiet'], base)
})()

/** A folder like the first, with a finished run in `run`, to spoil. */
async function project(): Promise<string> {
  await trained
  const folder = temporaryFolder()
  cpSync(base, folder, { recursive: true })
  return folder
}

function assertOneSentence({ code, stderr }: { code: number | null; stderr: string }, says: RegExp): void {
  assert.match(stderr, says)
  assert.match(stderr, /^adatune: [^\n]+[.?]\n$/)
  assert.doesNotMatch(stderr, /Error:|\n {4}at /)
  assert.equal(code, 2)
}

const entries = (folder: string): string[] => (readdirSync(folder, { recursive: true, encoding: 'utf8' }) as string[]).sort()

interface Case {
  readonly says: RegExp
  /** Changes to the run file; see `writeRun`. */
  readonly run?: Parameters<typeof writeRun>[2]
  /** Changes to the folder. */
  readonly spoil?: (folder: string) => void
  readonly args?: readonly string[]
}

const training = ['train', 'run.yaml', '--out', 'out']
const predicting = ['predict', '--model', 'model', '--adapter', 'run/adapter']
const write = (name: string, text: string | Uint8Array) => (folder: string) => writeFileSync(join(folder, name), text)
const rows = (...changed: Record<string, unknown>[]): string => jsonLines([...tokenRows(2, 'some'), ...changed])
const words = textRows(2, 'some')

const cases: Record<string, Case> = {
  // Plain text.
  'a length without room for text': {
    run: { task: 'masked-lm', data: { train: 'plain.txt', eval: null, maxLength: 3, texts: { packed: true } } },
    spoil: write('plain.txt', 'the film was good\n'),
    says: /A length of 3 tokens leaves no room for two of text beside 2 special ones; raise maxLength/,
  },
  'a text of which nothing is left to ask': {
    run: { task: 'masked-lm', data: { train: 'plain.txt', eval: null, texts: { packed: true } } },
    spoil: write('plain.txt', 'film\n'),
    says: /plain\.txt: its texts are too short to ask anything of; give longer ones/,
  },
  // Run files and settings.
  'a run file that is missing': { args: ['train', 'rum.yaml'], says: /run file rum\.yaml does not exist; check the path/ },
  'a folder as run file': { args: ['train', 'model'], says: /model: it is a folder; give a file/ },
  'neither run file nor --resume': { args: ['train'], says: /Give a run file, or --resume/ },
  'no folder for the run': { args: ['train', 'run.yaml'], says: /no folder: give "out" in the run file, or --out/ },
  'a syntax error': { spoil: write('run.yaml', 'model: model\ntask: [sequence\ntrain:\n  steps: 4\n'), says: /run\.yaml:3: / },
  'a syntax error of JSON': { spoil: write('run.yaml', '{"model": "model",\n"task": }'), says: /run\.yaml:2: / },
  'a list for a run file': { spoil: write('run.yaml', '- model: model\n'), says: /run\.yaml does not hold settings/ },
  'an empty run file': { spoil: write('run.yaml', ''), says: /run\.yaml: "model" is missing/ },
  'a binary run file': {
    spoil: (folder) => cpSync(join(folder, 'model/model.safetensors'), join(folder, 'run.yaml')),
    says: /run\.yaml:1: /,
  },
  'a key twice': { spoil: write('run.yaml', 'model: model\nmodel: other\n'), says: /run\.yaml:2: / },
  'an alias without anchor': { spoil: write('run.yaml', 'model: *name\n'), says: /run\.yaml/ },
  'an anchor within itself': { spoil: write('run.yaml', 'model: model\ndata: &a\n  train: *a\n'), says: /run\.yaml/ },
  'aliases that multiply': {
    spoil: write(
      'run.yaml',
      `a0: &a0 [x, x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join('')}`,
    ),
    says: /run\.yaml/,
  },
  'an unknown key': { run: { modle: 'model' }, says: /run\.yaml:\d+: the key "modle" is not known\. Did you mean "model"/ },
  'an unknown key of train': {
    run: { train: { learningrate: 1 } },
    says: /run\.yaml:\d+: .*"train\.learningrate".*Did you mean "learningRate"/,
  },
  'an unknown key of the method': {
    run: { method: { name: 'lora', rank: 4 } },
    says: /run\.yaml:\d+: the key "method\.rank" is not known\..* "?r\b/,
  },
  'an unknown key of the wrapped method': {
    run: { method: { name: 'adamix', of: { name: 'bottleneck', sise: 4 } } },
    says: /run\.yaml:\d+: the key "method\.of\.sise" is not known\. Did you mean "size"/,
  },
  'an unknown key of one of several forms': {
    run: { method: { name: 'adamix', consistency: { weigth: 4 } } },
    says: /run\.yaml:\d+: the key "method\.consistency\.weigth" is not known\. Did you mean "weight"/,
  },
  'an unknown word in one of several forms': {
    run: { method: { name: 'adamix', consistency: { form: 'symetric' } } },
    says: /run\.yaml:\d+: "method\.consistency\.form" is "symetric"; known are reference, symmetric\. Did you mean "symmetric"/,
  },
  'an unknown name in one of several forms': {
    run: { method: { name: 'adamix', consistency: { schedule: { name: 'ramps' } } } },
    says: /"method\.consistency\.schedule\.name" is "ramps"; known are constant, ramp\. Did you mean "ramp"/,
  },
  'none of several forms': { run: { method: { name: 'adamix', consistency: 'much' } }, says: /"method\.consistency" is "much"/ },
  'an unknown key by --set': { args: [...training, '--set', 'train.step=3'], says: /"train\.step" is not known\. Did you mean "steps"/ },
  'a word for a number': { run: { train: { batchSize: 'many' } }, says: /run\.yaml:\d+: "train\.batchSize" is "many": expected number/ },
  'a fraction for a count': { run: { train: { batchSize: 1.5 } }, says: /run\.yaml:\d+: "train\.batchSize" is 1\.5/ },
  'a number for a name': { run: { model: 5 }, says: /run\.yaml:\d+: "model" is 5: expected string/ },
  'a list for a section': {
    spoil: write('run.yaml', 'model: model\ntask: regression\ndata: []\n'),
    says: /run\.yaml:3: "data" is \[\]: expected object/,
  },
  'an unknown task': {
    run: { task: 'classification' },
    says: /run\.yaml:\d+: "task" is "classification"; known are .*Did you mean "sequence-classification"/,
  },
  'an unknown method': {
    run: { method: { name: 'adalore' } },
    says: /run\.yaml:\d+: "method\.name" is "adalore"; known are lora, .*Did you mean "adalora"/,
  },
  'an unknown wrapped method': {
    run: { method: { name: 'adamix', of: { name: 'lorra' } } },
    says: /"method\.of\.name" is "lorra"; known are .*Did you mean "lora"/,
  },
  'a method without a name': { run: { method: { r: 4 } }, says: /run\.yaml:\d+: .*"method\.name"/ },
  'a rank of 0': { run: { method: { name: 'lora', r: 0 } }, says: /run\.yaml:\d+: "method\.r" is 0: must be at least 1/ },
  'a budget in no known form': {
    run: { method: { name: 'lora', budget: '5 pounds' } },
    says: /run\.yaml:\d+: "method\.budget" is "5 pounds": write 300000, 0\.3M/,
  },
  'a budget that is too small': { run: { method: { name: 'lora', budget: 10 } }, says: /budget of 10 .*the smallest lora here has \d+/ },
  'too few ranks': { run: { method: { name: 'lora', budget: { ranks: 3 } } }, says: /budget of 3 ranks .* 4 modules/ },
  'a budget inside a mixture': {
    run: { method: { name: 'adamix', of: { name: 'lora', budget: '1%' } } },
    says: /run\.yaml:\d+: "method\.of\.budget" is "1%": put the budget beside "of"/,
  },
  'a targetR that is not below initR': {
    run: { method: { name: 'adalora', initR: 4, targetR: 4 } },
    says: /targetR 4 must be below initR 4/,
  },
  'an unknown score': {
    run: { method: { name: 'lora', prune: { targetR: 2, score: 'importence' } } },
    says: /run\.yaml:\d+: "method\.prune\.score" is "importence"; known are importance, .*Did you mean "importance"/,
  },
  'pruning without a target': { run: { method: { name: 'lora', prune: {} } }, says: /run\.yaml:\d+: "method\.prune\.targetR" is missing/ },
  'ranks to replay that are not there': {
    run: { method: { name: 'adalora', selection: 'replay', ranks: 'nowhere.json' } },
    says: /ranks: nowhere\.json cannot be read: ENOENT/,
  },
  'no phase to budget in': {
    run: { method: { name: 'adalora', initR: 4, targetR: 2, tInit: 3, tFinal: 2 }, train: { steps: 5 } },
    says: /no budgeting phase: tInit 3 and tFinal 2 fill all 5 updates/,
  },
  'a target that matches nothing': {
    run: { method: { name: 'lora', targets: ['qurey'] } },
    says: /"qurey" matches no linear module.*Did you mean "query"/,
  },
  'an expression that matches nothing': {
    run: { method: { name: 'lora', targets: '.*qurey' } },
    says: /"\.\*qurey" matches no linear module.*Did you mean "query"/,
  },
  'an expression that is none': { run: { method: { name: 'lora', targets: '(query' } }, says: /"\(query" is no regular expression/ },
  'a role to share that is none': {
    run: { method: { name: 'adamix', share: ['upp'] } },
    says: /"upp" is no role of bottleneck; it has down, up/,
  },
  'a patience without evaluations': {
    run: { data: { eval: null }, train: { patience: 2 } },
    says: /train\.patience needs evaluations: give data\.eval/,
  },
  'a single class': {
    spoil: write('train.jsonl', jsonLines([1, 2, 3].map((id) => ({ input_ids: [id, 2], label: 'yes' })))),
    run: { data: { eval: null } },
    says: /sequence-classification needs two classes or more, and has yes; look at the labels of train\.jsonl, or name the classes/,
  },
  'label smoothing without classes': {
    spoil: write('train.jsonl', jsonLines([{ input_ids: [1, 2], label: 0.5 }])),
    run: { task: 'regression', data: { eval: null }, train: { labelSmoothing: 0.1 } },
    says: /train\.labelSmoothing spreads targets over classes, and regression has none/,
  },
  'an unknown metric to keep': { run: { train: { keepBest: 'acuracy' } }, says: /keepBest: .*"acuracy"; it has accuracy, f1/ },
  'class weights of another number': {
    run: { train: { classWeights: [1, 2, 3] } },
    says: /classWeights has 3 weights for 2 classes \(no, yes\)/,
  },
  'a module to train that is none': { run: { train: { trainAlso: ['poller'] } }, says: /trainAlso: .*"poller"/ },
  '--set without a value': { args: [...training, '--set', 'train.steps'], says: /--set train\.steps: write it as --set/ },
  '--set of what is no YAML': {
    args: [...training, '--set', 'train.betas=[0.9'],
    says: /--set train\.betas=\[0\.9: the value cannot be read: /,
  },
  '__proto__ by --set': { args: [...training, '--set', '__proto__.x=1'], says: /the key "__proto__" is not allowed/ },
  '__proto__ within --set': {
    args: [...training, '--set', 'train.constructor.prototype.x=1'],
    says: /the key "constructor" is not allowed/,
  },
  '__proto__ in the value of --set': {
    args: [...training, '--set', 'train={"__proto__": {"x": 1}}'],
    says: /the key "__proto__" is not allowed/,
  },
  '__proto__ in the run file': {
    spoil: write('run.yaml', 'model: model\n__proto__:\n  x: 1\n'),
    says: /run\.yaml.*the key "__proto__" is not allowed/,
  },
  '__proto__ deep in the run file': {
    spoil: write('run.yaml', '{"train": {"betas": [{"__proto__": 1}]}}'),
    says: /the key "__proto__" is not allowed/,
  },

  // Data.
  'a data file that is missing': { run: { data: { train: 'trian.jsonl' } }, says: /trian\.jsonl: there is no such file; check the path/ },
  'an evaluation file that is missing': {
    run: { data: { eval: 'evil.jsonl' } },
    says: /evil\.jsonl: there is no such file; check the path/,
  },
  'a folder for a data file': {
    spoil: (folder) => mkdirSync(join(folder, 'x.jsonl')),
    run: { data: { train: 'x.jsonl' } },
    says: /x\.jsonl: it is a folder; give a file/,
  },
  'a data file of unknown kind': {
    run: { data: { train: 'train.xlsx' } },
    says: /train\.xlsx: unknown kind.*\.jsonl, \.ndjson, \.csv, \.tsv/,
  },
  'a data file without rows': { spoil: write('train.jsonl', '\n'), says: /train\.jsonl: no rows/ },
  'a line that is no JSON': { spoil: write('train.jsonl', `${rows()}{"label": \n`), says: /train\.jsonl:3: not JSON/ },
  'a gzip file cut short': {
    spoil: (folder) => {
      const packed = gzipSync(readFileSync(join(folder, 'train.jsonl')))
      writeFileSync(join(folder, 'train.jsonl.gz'), packed.subarray(0, packed.length / 2))
    },
    run: { data: { train: 'train.jsonl.gz' } },
    says: /train\.jsonl\.gz: not a whole gzip file/,
  },
  'a label that is not among those given': {
    spoil: write('eval.jsonl', rows({ input_ids: [1], label: 'noo' })),
    run: { data: { labels: ['no', 'yes'] } },
    says: /eval\.jsonl:3: unknown label "noo".*the labels are no, yes\. Did you mean "no"/,
  },
  'a row without text': {
    spoil: write('train.jsonl', jsonLines([...words, { text: '', label: 'bad' }])),
    says: /train\.jsonl:3: column "text" is empty/,
  },
  'a row without text column': {
    spoil: write('train.jsonl', jsonLines([{ sentense: 'A film', label: 'bad' }])),
    says: /train\.jsonl:1: no column that looks like text; the row has columns "sentense", "label"\. Name columns by data\.columns/,
  },
  'a text column that is not there': {
    spoil: write('train.jsonl', jsonLines(words)),
    run: { data: { columns: { text: 'txt' } } },
    says: /train\.jsonl:1: no column "txt".*Did you mean "text"/,
  },
  'a row without label': {
    spoil: write('train.jsonl', rows({ input_ids: [1] })),
    says: /train\.jsonl:3: no column "label"; the row has columns "input_ids"/,
  },
  'a row without label in the evaluation': {
    spoil: write('eval.jsonl', rows({ input_ids: [1] })),
    says: /eval\.jsonl:3: no column "label"/,
  },
  'an empty label in the evaluation': {
    spoil: write('eval.jsonl', rows({ input_ids: [1], label: null })),
    says: /eval\.jsonl:3: column "label" is empty/,
  },
  'a token outside the vocabulary': {
    spoil: write('train.jsonl', rows({ input_ids: [3, 50], label: 'no' })),
    says: /train\.jsonl:3: "input_ids"\[1\] is 50; expected an integer from 0 to 49/,
  },
  'more tokens than positions': {
    spoil: write('train.jsonl', rows({ input_ids: Array.from({ length: 25 }, () => 1), label: 'no' })),
    says: /train\.jsonl:3: 25 tokens, but the model has 24 positions/,
  },
  'texts without a tokenizer': {
    spoil: (folder) => {
      writeFileSync(join(folder, 'train.jsonl'), jsonLines(words))
      rmSync(join(folder, 'model/tokenizer.json'))
    },
    says: /no tokenizer\.json.*input_ids/,
  },

  // Models.
  'a model that is missing': { run: { model: './modle' }, says: /no folder \.\/modle; check the path\. Did you mean "model"/ },
  'a model that is neither here nor cached': { run: { model: 'some/modle' }, says: /"some\/modle" is neither a folder nor cached/ },
  'weights cut short': {
    spoil: (folder) => truncateSync(join(folder, 'model/model.safetensors'), 9000),
    says: /model\.safetensors is cut short: it has 9000 of \d+ bytes/,
  },
  'weights cut short in the header': {
    spoil: (folder) => truncateSync(join(folder, 'model/model.safetensors'), 100),
    says: /model\.safetensors is cut short: its header ends/,
  },
  'no weights': { spoil: (folder) => rmSync(join(folder, 'model/model.safetensors')), says: /folder model holds no weights/ },
  'weights as a pickle': {
    spoil: (folder) => {
      rmSync(join(folder, 'model/model.safetensors'))
      writeFileSync(join(folder, 'model/pytorch_model.bin'), 'x')
    },
    says: /pytorch_model\.bin is a pickle file, which may run code/,
  },
  'no config.json': { spoil: (folder) => rmSync(join(folder, 'model/config.json')), says: /config\.json is missing/ },
  'a config.json that is no JSON': { spoil: write('model/config.json', '{"model_type": "bert"'), says: /config\.json is not JSON/ },
  'a config.json that is no object': { spoil: write('model/config.json', '[]'), says: /config\.json does not hold a JSON object/ },
  'an unknown model_type': { spoil: write('model/config.json', '{"model_type": "brt"}'), says: /"brt".*bert/ },
  'a config.json without sizes': {
    spoil: write('model/config.json', '{"model_type": "bert"}'),
    says: /config\.json: "vocab_size" cannot be used/,
  },
  'a config.json with other sizes': {
    spoil: (folder) => {
      const file = join(folder, 'model/config.json')
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), intermediate_size: 64 }))
    },
    says: /tensor "bert\.encoder\.layer\.0\.intermediate\.dense\.\w+" is \[32(,16)?\], but config\.json makes it \[64(,16)?\]/,
  },
  'a head for other classes': {
    spoil: (folder) => writeModel(join(folder, 'model'), { classes: ['a', 'b', 'c'] }),
    run: { data: { labels: ['no', 'yes'] } },
    says: /the head's "classifier\.\w+" is \[3(,16)?\], but 2 output\(s\) make it \[2(,16)?\]: .*other set of labels|another set of labels/,
  },

  // Adapters to start from.
  'an adapter that is missing': { run: { adapter: 'adapter' }, says: /no folder adapter; check the path/ },
  'an adapter of another rank': {
    run: { adapter: 'run/adapter', method: { name: 'lora', r: 4 } },
    says: /adapter: .*A\.weight" in run\/adapter is \[2,16\], but .* \[4,16\]/,
  },
  'an adapter of another method': {
    run: { adapter: 'run/adapter', method: { name: 'bottleneck', size: 4 } },
    says: /adapter: run\/adapter holds lora, but the run's method is bottleneck/,
  },
  'an adapter with other targets': {
    run: { adapter: 'run/adapter', method: { name: 'lora', r: 2, targets: ['key'] } },
    says: /adapter: .*query.* give both the same targets/,
  },
  'an adapter made with another alpha': {
    run: { adapter: 'run/adapter', method: { name: 'lora', r: 2, alpha: 400 } },
    says: /run\/adapter was made with alpha 16, but the run's method has 400; give both the same/,
  },
  'an adapter that lacks a target': {
    run: { adapter: 'run/adapter', method: { name: 'lora', r: 2, targets: ['query', 'value', 'key'] } },
    says: /run\/adapter has no ".*key\.A\.weight", which the run's method trains/,
  },
  'an adapter whose tensors are gone': {
    spoil: (folder) => {
      rmSync(join(folder, 'run/adapter/adapter_model.safetensors'))
    },
    run: { adapter: 'run/adapter' },
    says: /adapter_model\.safetensors is missing, though adatune wrote it; copy the folder again, or delete/,
  },
  'an adapter cut short': {
    spoil: (folder) => truncateSync(join(folder, 'run/adapter/adapter_model.safetensors'), 2000),
    run: { adapter: 'run/adapter' },
    says: /adapter_model\.safetensors has changed since adatune wrote it .*; copy the folder again, or delete/,
  },
  'experts of another number': {
    spoil: (folder) => cpSync(join(folder, 'model/model.safetensors'), join(folder, 'experts.safetensors')),
    run: { adapter: 'experts.safetensors', method: { name: 'adamix', of: { name: 'bottleneck', size: 4 } } },
    says: /experts\.safetensors/,
  },
  'experts for another method': {
    spoil: (folder) => cpSync(join(folder, 'run/adapter/adapter_model.safetensors'), join(folder, 'experts.safetensors')),
    run: { adapter: 'experts.safetensors' },
    says: /experts\.safetensors/,
  },

  // Folders of runs.
  'a folder for the run that is not empty': {
    args: ['train', 'run.yaml', '--out', 'model'],
    says: /model is not empty\. Go on with its run by --resume model, or choose another folder/,
  },
  'a file for the folder of the run': { args: ['train', 'run.yaml', '--out', 'train.jsonl'], says: /train\.jsonl/ },
  'a folder for the run below a file': { args: ['train', 'run.yaml', '--out', 'train.jsonl/run'], says: /train\.jsonl\/run/ },
  'a link to nowhere for the folder of the run': { spoil: (folder) => symlinkSync('nowhere', join(folder, 'out')), says: /out/ },
  '--resume without a run': { args: ['train', '--resume', 'model2'], says: /model2 holds no run: it has no config\.json/ },
  '--resume of a model': { args: ['train', '--resume', 'model'], says: /model\/config\.json: / },
  '--resume with --set': { args: ['train', '--resume', 'run', '--set', 'train.steps=9'], says: /--resume takes neither --set nor --out/ },
  '--resume with --out': { args: ['train', '--resume', 'run', '--out', 'out'], says: /--resume takes neither --set nor --out/ },
  '--resume with a run file': { args: ['train', 'run.yaml', '--resume', 'run'], says: /Give a run file, or --resume/ },

  // Other commands.
  'both --text and --data': {
    args: [...predicting, '--text', 'A film', '--data', 'eval.jsonl'],
    says: /Give either --data FILE or --text/,
  },
  'neither --text nor --data': { args: predicting, says: /Give either --data FILE or --text/ },
  'three texts': { args: [...predicting, '--text', 'a', 'b', 'c'], says: /--text takes a sentence and at most its pair/ },
  'an empty text': { args: [...predicting, '--text', ''], says: /Question 1 is empty; give a text/ },
  'a batch size of no number': {
    args: [...predicting, '--text', 'a', '--batch-size', 'x'],
    says: /--batch-size x: expected a whole number/,
  },
  'a task flag misspelt': {
    args: [...predicting, '--text', 'a', '--task', 'regresion'],
    says: /The task "regresion" is not known; known are .*Did you mean "regression"/,
  },
  'a pair column alone': { args: [...predicting, '--data', 'eval.jsonl', '--pair-column', 'b'], says: /--pair-column needs --text-column/ },
  'a model without head and no adapter': {
    args: ['predict', '--model', 'model', '--task', 'sequence-classification', '--text', 'a'],
    says: /model has no head for sequence-classification/,
  },
  'no task': { args: ['predict', '--model', 'model', '--text', 'a'], says: /model does not tell its task; give --task/ },
  'answers into a missing folder': {
    args: [...predicting, '--text', 'a', '--output', 'answers/a.jsonl'],
    says: /--output answers\/a\.jsonl: there is no folder answers/,
  },
  'answers into a folder': {
    args: [...predicting, '--data', 'eval.jsonl', '--output', 'model'],
    says: /--output model is no regular file/,
  },
  'answers into their questions': {
    args: [...predicting, '--data', 'eval.jsonl', '--output', './model/../eval.jsonl'],
    says: /is the file of --data, which answers would overwrite/,
  },
  'answers into their questions by a link': {
    spoil: (folder) => symlinkSync('eval.jsonl', join(folder, 'link.jsonl')),
    args: ['generate', '--model', 'model', '--data', 'eval.jsonl', '--output', 'link.jsonl'],
    says: /is the file of --data, which answers would overwrite/,
  },
  'classes of one name': { run: { data: { labels: ['no', 'yes', 'no'] } }, says: /The classes no, yes, no have "no" twice/ },
  'classes of one name for answers': {
    args: [...predicting, '--text', 'a', '--labels', 'no,no'],
    says: /The classes no, no have "no" twice/,
  },
  "an adapter's classes in another order": {
    args: ['eval', ...predicting.slice(1), '--data', 'eval.jsonl', '--labels', 'yes,no'],
    says: /run\/adapter counts the classes as no, yes, and not as yes, no/,
  },
  "an adapter's classes in another order to train on": {
    run: { adapter: 'run/adapter', data: { labels: ['yes', 'no'] } },
    says: /run\/adapter counts the classes as no, yes, and not as yes, no/,
  },
  'a column of names that is not there': {
    args: [...predicting, '--data', 'eval.jsonl', '--text-column', 'text', '--id-column', 'key'],
    says: /eval\.jsonl:1: no column "key"; the row has columns "input_ids", "label"/,
  },
  'a setting that is set twice': {
    args: [...training, '--set', 'train.steps=4', '--set', 'train.steps=0'],
    says: /--set train\.steps=0: /,
  },
  'a group misspelt by --set': { args: [...training, '--set', 'metod.r=3'], says: /--set metod\.r=3: the key "metod".*"method"/ },
  'a setting without its group': {
    args: ['inspect', '--model', 'model', '--method', 'adamix', '--set', 'r=8'],
    says: /the key "r" is not known\. Did you mean "method\.of\.r"\?/,
  },
  'help for an unknown command': { args: ['help', 'traain'], says: /unknown command 'traain'\. Did you mean train/ },
  'rows without labels to evaluate': {
    spoil: write('some.jsonl', rows({ input_ids: [1] })),
    args: ['eval', '--model', 'model', '--adapter', 'run/adapter', '--data', 'some.jsonl'],
    says: /some\.jsonl:3: no column "label"/,
  },
  'a folder of a merged model that is not empty': {
    args: ['merge', '--model', 'model', '--adapter', 'run/adapter', '--out', 'run'],
    says: /run is not empty; choose another folder with --out/,
  },
  'a file for the folder of a merged model': {
    args: ['merge', '--model', 'model', '--adapter', 'run/adapter', '--out', 'train.jsonl'],
    says: /train\.jsonl: part of the path is no folder/,
  },
  'an adapter for a model': {
    args: ['merge', '--model', 'run/adapter', '--adapter', 'run/adapter', '--out', 'out'],
    says: /run\/adapter\/config\.json is missing/,
  },
  'a model for an adapter': { args: ['predict', '--model', 'model', '--adapter', 'model', '--text', 'a'], says: /model/ },
  'a folder that holds no adapter': {
    args: ['predict', '--model', 'model', '--adapter', 'run/checkpoints', '--text', 'a'],
    says: /run\/checkpoints holds no adapter that is known/,
  },
  'a run for its adapter': {
    args: ['predict', '--model', 'model', '--adapter', 'run', '--text', 'a'],
    says: /run holds no adapter that is known; its folder "adapter" holds one: give that/,
  },
  'inspect of no model': { args: ['inspect', '--model', './nothing'], says: /no folder \.\/nothing/ },

  // The command line itself.
  'an unknown command': { args: ['trian', 'run.yaml'], says: /trian.*Did you mean train/ },
  'an unknown option': { args: [...training, '--quite'], says: /--quite.*Did you mean --quiet/ },
  'an option without its value': { args: ['train', 'run.yaml', '--out'], says: /--out <folder>/ },
  'a required option left out': { args: ['eval', '--model', 'model'], says: /--data <file>/ },
  'too many arguments': { args: [...training, 'other.yaml'], says: /too many arguments/ },
}

for (const [name, { says, run, spoil, args = training }] of Object.entries(cases)) {
  test(name, async () => {
    const folder = await project()
    writeRun(folder, 'run.yaml', run ?? {})
    spoil?.(folder)
    const before = entries(folder)
    assertOneSentence(await command(args, folder), says)
    assert.deepEqual(entries(folder), before)
  })
}

test('the program prints the sentence and ends with 2', async () => {
  await trained
  writeRun(base, 'bad.yaml', { train: { steps: 0 } })
  const { stdout, ...ended } = await adatune(['train', 'bad.yaml', '--out', 'out'], base)
  assertOneSentence(ended, /^adatune: bad\.yaml:\d+: "train\.steps" is 0/)
  assert.equal(stdout, '')
})

/** Puts NaN in the first row of a table of embeddings. */
function poison(folder: string, table: string): void {
  const file = join(folder, 'model/model.safetensors')
  const tensors = [...readHeader(file).tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }] as const)
  for (const [name, { data }] of tensors) if (name === `bert.embeddings.${table}_embeddings.weight`) data[0] = Number.NaN
  writeSafetensors(file, tensors)
}

test('a loss that is not finite names the update and its rows, and keeps the last good state', async () => {
  const folder = await project()
  const token0 = { input_ids: [0, 7], label: 'no' }
  writeFileSync(
    join(folder, 'train.jsonl'),
    jsonLines([...tokenRows(12, 'nan').map((row) => ({ ...row, input_ids: [5, 6] })), token0, token0]),
  )
  poison(folder, 'word')
  writeRun(folder, 'run.yaml', { data: { eval: null }, train: { steps: 9, batchSize: 2, shuffle: false } })
  const ended = await command([...training, '--quiet'], folder)
  assertOneSentence(
    ended,
    /not a finite number at update 7 \(rows train\.jsonl:13, train\.jsonl:14\); the update was not made\. Lower train\.learningRate, or look at these rows; with adapter: out\/checkpoints\/step-00000006 a new run/,
  )
  const out = join(folder, 'out')
  assert.deepEqual(checkpoints(out), [join(out, 'checkpoints/step-00000006')])
  for (const { data } of stateOf(checkpoints(out)[0]!)) assert.ok(data.every(Number.isFinite))
  assert.equal(eventsOf(recordOf(out)).filter(({ event }) => event === 'step').length, 6)
  assert.deepEqual(readdirSync(out).sort(), ['checkpoints', 'config.json', 'env.json', 'run.jsonl'])
  assertOneSentence(await command(['train', '--resume', 'out', '--quiet'], folder), /at update 7 \(rows train\.jsonl:13/)
})

const stateOf = (checkpoint: string): { data: Float32Array }[] =>
  [...readHeader(join(checkpoint, 'state.safetensors')).tensors.values()].map((entry) => ({ data: readTensor(entry) }))

test('a learning rate out of all bounds ends in a sentence', async () => {
  const folder = await project()
  writeRun(folder, 'run.yaml', { method: { name: 'full' }, train: { steps: 30, learningRate: 1e30, schedule: 'constant', warmupRatio: 0 } })
  assertOneSentence(
    await command([...training, '--quiet'], folder),
    /not a finite number at update \d+ \(rows (train\.jsonl:\d+(, )?){8}\)/,
  )
  for (const { data } of stateOf(checkpoints(join(folder, 'out')).at(-1)!)) assert.ok(data.every(Number.isFinite))
})

test('before a build the program says what to type', async () => {
  const copy = temporaryFolder()
  cpSync(join(repository, 'bin'), join(copy, 'bin'), { recursive: true })
  cpSync(join(repository, 'package.json'), join(copy, 'package.json'))
  const { code, stdout, stderr } = await startNode(join(copy, 'bin/adatune.js'), ['train', 'run.yaml'], copy).ended
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^adatune is not built yet\. [^\n]*\n\n {2}npm run build\n$/)
  assert.ok(!existsSync(join(copy, 'dist')))
})
