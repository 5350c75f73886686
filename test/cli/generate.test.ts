import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command, succeed } from './project.ts'
import { rows, writerFolder, writers } from './writing-project.ts'

const folders = new Map<string, string>()

before(async () => {
  for (const [name, project] of Object.entries(writers)) {
    const folder = writerFolder(project)
    await succeed(['train', 'run.json', '--out', 'run', '--quiet'], folder)
    folders.set(name, folder)
  }
})

for (const name of Object.keys(writers)) {
  test(`${name} that learned rows by heart writes them, greedily and by beams, and scores well`, async () => {
    const folder = folders.get(name)!
    const { loss } = JSON.parse(readFileSync(join(folder, 'run/metrics.json'), 'utf8'))
    assert.ok(loss < 0.2, `loss ${loss}`)
    for (const settings of [[], ['--set', 'beams=3']]) {
      const told = await succeed(
        [
          'generate',
          '--model',
          'model',
          '--adapter',
          'run/adapter',
          '--data',
          'rows.jsonl',
          '--output',
          'out.jsonl',
          '--metric',
          'bleu',
          ...settings,
        ],
        folder,
      )
      const texts = readFileSync(join(folder, 'out.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).text)
      assert.deepEqual(
        texts,
        rows.map(([, ref]) => ref),
      )
      assert.match(told, /^4 texts in out\.jsonl\nmetric +score +95 % interval\nbleu +100\.0000 /)
    }
  })

  test(`${name}, saved whole, writes as it learned to without being told how texts are put`, async () => {
    const folder = folders.get(name)!
    for (const [mr, ref] of rows) assert.equal(await succeed(['generate', '--model', 'run/adapter', '--text', mr], folder), `${ref}\n`)
    const [given, kept] = ['model', 'run/adapter'].map((at) => readFileSync(join(folder, at, 'generation_config.json'), 'utf8'))
    assert.equal(kept, given)
  })

  test(`${name} writes the same drawn texts for a seed, and one text on the terminal`, async () => {
    const folder = folders.get(name)!
    const ask = (...more: string[]) => succeed(['generate', '--model', 'model', '--adapter', 'run/adapter', ...more], folder)
    const drawn = ['--data', 'rows.jsonl', '--set', 'sample=true', '--set', 'temperature=8', '--set', 'maxNewTokens=8']
    const [one, again, other] = [await ask(...drawn), await ask(...drawn, '--batch-size', '1'), await ask(...drawn, '--set', 'seed=2')]
    assert.equal(one, again)
    assert.notEqual(one, other)
    assert.equal(await ask('--text', rows[0][0]), `${rows[0][1]}\n`)
  })
}

test('what cannot be written is said in one sentence', async () => {
  const folder = folders.get('gpt2')!
  const ask = async (...args: string[]) => command(['generate', '--model', 'model', ...args], folder)
  const faults: [string[], RegExp][] = [
    [[], /Give either --data FILE or --text/],
    [['--text', 'red', '--metric', 'bleu'], /--metric compares with references/],
    [['--text', 'red', '--set', 'beam=2'], /beam.*Did you mean "beams"/],
    [['--text', 'red', '--set', 'temperature=0'], /temperature/],
    [['--data', 'rows.jsonl', '--output', 'o.jsonl', '--metric', 'blue'], /blue.*Did you mean "bleu"/],
    [['--data', 'rows.jsonl', '--text-column', 'mrs'], /no column "mrs"/],
    [['--text', 'red '.repeat(80)], /positions|no room/],
  ]
  for (const [args, expected] of faults) {
    const { code, stderr } = await ask(...args)
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, expected)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  }
})
