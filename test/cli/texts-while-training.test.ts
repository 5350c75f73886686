import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameRun, command, eventsOf, jsonLines, readJson, recordOf, start, stepsDone, succeed, until } from './project.ts'
import { rows, writerFolder, writers } from './writing-project.ts'

type Settings = Readonly<Record<string, unknown>>
interface Changes {
  readonly data?: Settings
  readonly train?: Settings
  readonly [key: string]: unknown
}

/** Writes the folder's run with other settings. */
function writeRun(folder: string, name: string, { data, train, ...settings }: Changes): void {
  const run = readJson(folder, 'run.json') as { data: Settings; train: Settings }
  writeFileSync(
    join(folder, name),
    JSON.stringify({ ...run, ...settings, data: { ...run.data, ...data }, train: { ...run.train, ...train } }),
  )
}

const evaluations = (run: string) => eventsOf(recordOf(run)).filter(({ event }) => event === 'eval')
const written = { maxNewTokens: 12 }
/** Updates between evaluations, of which the first comes before the rows are known by heart. */
const pace: Readonly<Record<string, number>> = { gpt2: 6, t5: 20 }

for (const [name, project] of Object.entries(writers)) {
  test(`${name}: evaluations score written texts, the first score decides, and generate says the same of the adapter`, async () => {
    const folder = writerFolder(project)
    // The same text twice is one example with two references.
    const twice = [...rows, [rows[0][0], 'quite another answer']].map(([mr, ref]) => ({ mr, ref }))
    writeFileSync(join(folder, 'eval.jsonl'), jsonLines(twice))
    const train = { steps: 6 * pace[name]!, evalEvery: pace[name]!, evalBatchSize: 3, threads: 1 }
    writeRun(folder, 'texts.json', {
      data: { eval: 'eval.jsonl', test: 'rows.jsonl' },
      train,
      generate: { metric: ['bleu', 'rougeL'], ...written },
    })
    await succeed(['train', 'texts.json', '--out', 'texts', '--quiet'], folder)
    const run = join(folder, 'texts')
    const found = evaluations(run)
    assert.deepEqual(Object.keys(found[0]!), ['event', 'step', 'epoch', 'accuracy', 'perplexity', 'loss', 'bleu', 'rougeL', 'best'])
    const kept = readJson(run, 'metrics.json')
    assert.equal(kept.bleu, Math.max(...found.map(({ bleu }) => Number(bleu))))
    assert.ok(Number(kept.bleu) > Number(found[0]!.bleu), 'nothing was learnt between the first evaluation and the best')
    assert.deepEqual(
      found.filter(({ best }) => best).map(({ step }) => step),
      found.filter(({ bleu }, i) => found.slice(0, i).every((before) => Number(before.bleu) < Number(bleu))).map(({ step }) => step),
    )
    const asked = [
      'generate',
      '--model',
      'model',
      '--adapter',
      'texts/adapter',
      '--output',
      'o.jsonl',
      '--metric',
      'bleu',
      '--metric',
      'rougeL',
    ]
    const scoresOf = async (data: string) => {
      const told = await succeed([...asked, '--data', data, '--set', `maxNewTokens=${written.maxNewTokens}`], folder)
      return Object.fromEntries([...told.matchAll(/^(bleu|rougeL) +([\d.]+)/gm)].map(([, score, value]) => [score, value]))
    }
    const shown = ({ bleu, rougeL }: Settings) => ({ bleu: Number(bleu).toFixed(4), rougeL: Number(rougeL).toFixed(4) })
    assert.deepEqual(await scoresOf('eval.jsonl'), shown(kept))
    assert.deepEqual(await scoresOf('rows.jsonl'), shown(kept.test as Settings))
  })
}

test('a killed run whose texts are scored ends in the bytes of an unbroken one, and rows are the first so many', async () => {
  const folder = writerFolder(writers.t5!)
  const method = { name: 'adamix', of: { name: 'lora', r: 4 }, experts: 2 }
  const generate = { metric: 'ter', rows: 2, sample: true, temperature: 2, beams: 1, ...written }
  const train = { steps: 12, evalEvery: 3, checkpointEvery: 2, learningRate: 0.02, threads: 1 }
  writeRun(folder, 'texts.json', { method, generate, train })
  await succeed(['train', 'texts.json', '--out', 'whole', '--quiet'], folder)
  const { child, ended } = start(['train', 'texts.json', '--out', 'broken', '--quiet'], folder)
  await until(() => stepsDone(join(folder, 'broken')) >= 7, 'update 7')
  child.kill('SIGKILL')
  assert.equal((await ended).signal, 'SIGKILL')
  await succeed(['train', '--resume', 'broken', '--quiet'], folder)
  assertSameRun(join(folder, 'broken'), join(folder, 'whole'))
  const found = evaluations(join(folder, 'whole'))
  assert.equal(readJson(folder, 'whole/metrics.json').ter, Math.min(...found.map(({ ter }) => Number(ter))))

  writeFileSync(join(folder, 'two.jsonl'), jsonLines(rows.slice(0, 2).map(([mr, ref]) => ({ mr, ref }))))
  writeRun(folder, 'two.json', { method, generate: { ...generate, rows: null }, train, data: { eval: 'two.jsonl' } })
  await succeed(['train', 'two.json', '--out', 'two', '--quiet'], folder)
  assert.deepEqual(
    evaluations(join(folder, 'two')).map(({ ter }) => ter),
    found.map(({ ter }) => ter),
  )
})

test('runs over several seeds have the mean of their scores', async () => {
  const folder = writerFolder(writers.gpt2!)
  writeRun(folder, 'texts.json', {
    data: { test: 'rows.jsonl' },
    train: { steps: 6, evalEvery: 'end', seeds: [1, 2] },
    generate: { metric: 'rougeL', ...written },
  })
  assert.deepEqual(await command(['train', 'texts.json', '--out', 'texts', '--quiet'], folder), { code: 0, stderr: '' })
  const { bySeed, mean } = readJson(folder, 'texts/metrics.json') as { bySeed: { metrics: Settings }[]; mean: Settings }
  for (const name of ['rougeL', 'test rougeL']) {
    const [one, other] = bySeed.map(({ metrics }) => Number(metrics[name]))
    assert.equal(mean[name], (one! + other!) / 2)
  }
})

test('what texts cannot be scored by is said before anything is trained', async () => {
  const folder = writerFolder(writers.gpt2!)
  writeFileSync(join(folder, 'plain.jsonl'), jsonLines(rows.map(([text]) => ({ text }))))
  writeFileSync(join(folder, 'tokens.jsonl'), jsonLines([{ input_ids: [5, 6, 7], labels: [5, 6, 7] }]))
  writeFileSync(
    join(folder, 'long.jsonl'),
    jsonLines([
      { mr: rows[0][0], ref: rows[0][1] },
      { mr: 'red '.repeat(80), ref: 'red' },
    ]),
  )
  const generate = { metric: 'bleu' }
  const plain = { columns: null, train: 'plain.jsonl' }
  const faults: [Changes, RegExp][] = [
    [{ generate: { metric: 'blue' } }, /texts\.json:1: "generate\.metric".*blue.*Did you mean "bleu"/],
    [{ generate: { metric: [] } }, /texts\.json:1: "generate\.metric"/],
    [{ generate: { metric: 'bleu', beam: 2 } }, /beam.*Did you mean "beams"/],
    [{ generate: { metric: 'bleu', temperature: 0 } }, /"generate\.temperature"/],
    [{ generate: { beams: 2 } }, /"generate\.metric"/],
    [
      { generate, task: 'sequence-classification' },
      /generate has a model write texts, and sequence-classification has none to write; leave it out/,
    ],
    [{ generate, data: { eval: null } }, /generate scores texts of evaluation rows: give data\.eval or data\.test/],
    [{ generate, data: { ...plain, eval: 'plain.jsonl' } }, /plain\.jsonl:1: .*need references.*columns "text"\. .*data\.columns\.label/],
    [{ generate, data: { columns: null, train: 'tokens.jsonl', eval: 'tokens.jsonl' } }, /tokens\.jsonl:1: no column that looks like text/],
    [{ generate, data: { eval: 'long.jsonl' } }, /long\.jsonl:2: the text fills the model's 64 positions; shorten it/],
    [{ generate, train: { keepBest: 'rougeL' } }, /keepBest: causal-lm has no metric "rougeL"; it has accuracy, perplexity, loss, bleu/],
    [{ train: { keepBest: 'bleu' } }, /no metric "bleu"; it has accuracy, perplexity, loss\. .*generate\.metric/],
  ]
  for (const [changes, expected] of faults) {
    writeRun(folder, 'texts.json', changes)
    const { code, stderr } = await command(['train', 'texts.json', '--out', 'texts', '--quiet'], folder)
    assert.equal(code, 2, `${JSON.stringify(changes)}: ${stderr}`)
    assert.match(stderr, expected)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
    assert.throws(() => readFileSync(join(folder, 'texts/config.json')), /ENOENT/)
  }
})
