import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { outline } from '../../src/evaluate/assembly.ts'
import { openChat } from '../../src/generate/chat.ts'
import { openGenerator } from '../../src/generate/generator.ts'
import { heads } from '../../src/heads/index.ts'
import { openConfig } from '../../src/models/open.ts'
import { normals } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { adatune, command, jsonLines, repository, succeed } from './project.ts'

const template = `{% for message in messages %}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}`

/** What the assistant says depends on all that was said before. */
const talks = [
  [
    ['user', 'one'],
    ['assistant', 'a red fox'],
    ['user', 'more'],
    ['assistant', 'it is quick'],
  ],
  [
    ['user', 'two'],
    ['assistant', 'the lazy dog 🎉'],
    ['user', 'more'],
    ['assistant', "isn't it?"],
  ],
  [
    ['system', 'shout'],
    ['user', 'one'],
    ['assistant', 'FOX!'],
  ],
].map((turns) => ({ messages: turns.map(([role, content]) => ({ role, content })) }))

const folder = temporaryFolder()
const model = join(folder, 'model')
const adapter = join(folder, 'run/adapter')

before(async () => {
  mkdirSync(model)
  copyFileSync(join(repository, 'test/golden/decoder-tokenizers/qwen.json'), join(model, 'tokenizer.json'))
  writeFileSync(join(model, 'tokenizer_config.json'), JSON.stringify({ chat_template: template }))
  const config = {
    model_type: 'llama',
    vocab_size: 340,
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 80,
    eos_token_id: 0,
  }
  writeFileSync(join(model, 'config.json'), JSON.stringify(config))
  const { base } = outline({ model: openConfig(model), head: heads['causal-lm'], labels: 0 })
  const tensors = [...base.values()].map(({ name, shape }) => {
    const size = shape.reduce((n, dim) => n * dim, 1)
    const data = normals(size, keyOf('talker', name), { mean: shape.length === 1 ? 1 : 0, deviation: shape.length === 1 ? 0 : 0.15 })
    return [name, { shape, data }] as const
  })
  writeSafetensors(join(model, 'model.safetensors'), tensors)
  writeFileSync(join(folder, 'talks.jsonl'), jsonLines(talks))
  const run = {
    model: 'model',
    task: 'causal-lm',
    method: { name: 'full' },
    data: { train: 'talks.jsonl', eval: 'talks.jsonl' },
    train: { batchSize: 3, steps: 150, learningRate: 1e-2, schedule: 'constant', evalEvery: 150 },
  }
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run))
  await succeed(['train', 'run.json', '--out', 'run', '--quiet'], folder)
})

test('a conversation goes on over lines, begins anew and ends', async () => {
  const args = ['chat', '--model', 'model', '--adapter', 'run/adapter', '--quiet']
  const told = await succeed(args, folder, 'two\nmore\n\n/reset\none\nmore\n/exit\none\n')
  assert.equal(told, "the lazy dog 🎉\nisn't it?\na red fox\nit is quick\n")
  assert.equal(await succeed([...args, '--system', 'shout'], folder, 'one'), 'FOX!\n')
  const { stderr, stdout } = await adatune(args, folder, '/forget\none\n')
  assert.match(stderr, /\/forget is no command: \/reset begins anew/)
  assert.equal(stdout, 'a red fox\n')
})

test('an answer comes in pieces, may be stopped, and the turns before are as if they were read at once', async () => {
  const chat = await openChat({ model, adapter })
  const pieces: string[] = []
  assert.equal(
    await chat.say('two', (piece) => {
      pieces.push(piece)
      return true
    }),
    'the lazy dog 🎉',
  )
  assert.equal(pieces.join(''), 'the lazy dog 🎉')
  assert.ok(pieces.length > 2 && !pieces.join('').includes('\uFFFD'), JSON.stringify(pieces))
  assert.equal(await chat.say('more'), "isn't it?")
  chat.reset()
  const stopped = await chat.say('one', () => false)
  assert.ok('a red fox'.startsWith(stopped) && stopped.length < 9, stopped)
  await assert.rejects(chat.say('word '.repeat(60)), /tokens, and 80 are read; raise maxLength or shorten it/)
  chat.reset()
  assert.equal(await chat.say('one'), 'a red fox')
  assert.equal(await chat.say('more'), 'it is quick')
  await chat.close()
})

test('rows with conversations are answered up to the end of a turn, and compared with what they end with', async () => {
  const out = join(folder, 'out.jsonl')
  const args = ['generate', '--model', 'model', '--adapter', 'run/adapter', '--data', 'talks.jsonl', '--output', out, '--metric', 'rouge']
  const told = await succeed([...args, '--quiet'], folder)
  const texts = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).text)
  assert.deepEqual(texts, ['it is quick', "isn't it?", 'FOX!'])
  assert.match(told, /rouge1 +100\.0000|rouge1 +1\.0000/)
  const generator = await openGenerator({ model, adapter })
  const [written] = await generator.generate([{ messages: [{ role: 'user', content: 'two' }] }])
  await generator.close()
  assert.equal(written!.text, 'the lazy dog 🎉')
})

test('a chat takes as many threads as it is told', { skip: process.platform !== 'linux' && 'threads are counted in /proc' }, async () => {
  const counted = async (threads: number): Promise<number> => {
    const chat = await openChat({ model, adapter, threads })
    const { length } = readdirSync('/proc/self/task')
    await chat.close()
    return length
  }
  // What the first one starts once is not counted.
  await counted(1)
  assert.equal((await counted(6)) - (await counted(1)), 5)
})

test('options that cannot be are refused in a sentence, in TypeScript, too', async () => {
  const wrong = { name: 'UserError', message: /^generation: "beams" is 0: must be at least 1\.$/ }
  const generator = await openGenerator({ model, adapter })
  await assert.rejects(generator.generate(['one'], { beams: 0 }), wrong)
  await generator.close()
  await assert.rejects(openChat({ model, adapter, generation: { temperature: -1 } }), { name: 'UserError', message: /"temperature" is -1/ })
  await assert.rejects(openChat({ model, adapter, generation: { sample: true, ...{ temprature: 1 } } }), /Did you mean "temperature"/)
})

test('settings of a model that cannot be used are told with the file that has them', async () => {
  const own = join(folder, 'odd')
  mkdirSync(own)
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'model.safetensors']) copyFileSync(join(model, file), join(own, file))
  const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'))
  const refused = (message: RegExp) => assert.rejects(openChat({ model: own, adapter }), { name: 'UserError', message })
  writeFileSync(join(own, 'config.json'), JSON.stringify({ ...config, num_beams: 0 }))
  await refused(/odd\/config\.json: "num_beams" cannot be used: .*; correct it\.$/)
  writeFileSync(join(own, 'generation_config.json'), '{"top_p": 2}')
  await refused(/generation_config\.json: "top_p" cannot be used: .*; correct it\.$/)
  writeFileSync(join(own, 'generation_config.json'), '[]')
  await refused(/generation_config\.json does not hold a JSON object; copy or download it again\.$/)
})

test('what cannot be talked with is told in a sentence', async () => {
  const other = join(folder, 'other')
  mkdirSync(other)
  for (const file of ['tokenizer.json', 'config.json', 'model.safetensors']) copyFileSync(join(model, file), join(other, file))
  const args = (given: string): string[] => ['chat', '--model', given, '--quiet']
  assert.match((await command(args('other'), folder)).stderr, /other has no chat template; give one: data\.texts\.chatTemplate/)
  assert.match((await command([...args('model'), '--set', 'beams=2'], folder)).stderr, /one token after another; leave out beams/)
  assert.match((await command([...args('model'), '--set', 'beems=2'], folder)).stderr, /beems/)
})
