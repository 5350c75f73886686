import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { tryClaim } from '../../src/claims/claim.ts'
import { readClaim } from '../../src/claims/claim-file.ts'
import { claimNames, openClaim } from '../../src/claims/claim-list.ts'
import { claimsPlan, claimsPlanText } from '../../src/claims/claims-plan.ts'
import { claimsPage } from '../../src/claims/page.ts'
import { pairings } from '../../src/claims/pairs.ts'
import { quantity } from '../../src/claims/quantities.ts'
import { plan } from '../../src/compare/planned.ts'
import { UserError } from '../../src/errors.ts'
import { temporaryFolder } from '../behaviour/tiny-model.ts'
import { adatune, checkpoints, projectFolder, readJson, start, stepsDone, succeed, until } from './project.ts'

const folder = projectFolder()
const told = { claim: 'Everything is better than nothing.', paper: 'Nobody', source: 'table 1', figures: ['1 and 0'] }
const compare = {
  run: {
    model: join(folder, 'model'),
    task: 'sequence-classification',
    data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'train.jsonl') },
    train: { steps: 150, batchSize: 8, threads: 1, checkpointEvery: 5, evalEvery: 50 },
  },
  axes: {
    settings: {
      whole: { method: { name: 'full' }, 'train.learningRate': 0.005 },
      nothing: { method: { name: 'bitfit' }, 'train.learningRate': 1e-9 },
    },
    'train.seed': [1, 2],
  },
  plain: 'nothing',
  resamples: 200,
  workers: 2,
  quick: { axes: { 'train.seed': [1] } },
}
const [own, other] = [{ settings: 'whole' }, { settings: 'nothing' }]
type Criterion = readonly Readonly<Record<string, unknown>>[]
function write(name: string, criterion: Criterion, rest: object = {}): string {
  const file = join(folder, name)
  writeFileSync(file, stringify({ ...told, compare, criterion, ...rest }))
  return file
}
const trials = (): string[] => readdirSync(join(folder, 'work/trials'))
const better = { says: 'much better', arm: own, atLeast: 0.05 }

test('a claim that is killed goes on and ends in a sentence, a record and drawings', async () => {
  write('holds.yaml', [better, { says: 'more weights', of: 'weights', arm: own, against: other, atLeast: 2 }])
  const args = ['claims', 'holds.yaml', '--out', 'work']
  const { child, ended } = start([...args, '--quiet'], folder)
  const runs = (): string[] => (existsSync(join(folder, 'work/trials')) ? trials().map((id) => join(folder, 'work/trials', id, 'run')) : [])
  const begun = (): string | undefined => runs().find((run) => checkpoints(run).length > 0)
  await until(() => begun() !== undefined, 'a checkpoint')
  child.kill('SIGKILL')
  await ended
  const began = begun()
  assert.ok(stepsDone(began!) < 150)
  const before = statSync(join(began!, 'config.json')).mtimeMs
  const text = await succeed(args, folder)
  assert.equal(statSync(join(began!, 'config.json')).mtimeMs, before, 'the trial was not begun anew')
  const sentence = text.trim().split('\n').at(-1)!
  assert.match(sentence, /^holds, full form, holds: .* 95 % intervals, 2 seeds, 48 rows\.$/)
  const record = readJson(folder, 'work/claim.json') as { verdict: { sentence: string }; form: string; command: string; machine: object }
  assert.deepEqual([record.form, record.command, record.verdict.sentence], ['full', 'adatune claims holds.yaml --out work', sentence])
  assert.ok('processor' in record.machine)
  assert.match(readFileSync(join(folder, 'work/claim.svg'), 'utf8'), /^<svg .*against weights/s)
})

test('of the same trials other claims do not hold or cannot be told, and nothing is trained again', async () => {
  const count = trials().length
  const options = { out: join(folder, 'work'), command: 'test' }
  const outcome = async (name: string, criterion: Criterion): Promise<string> => {
    const record = await tryClaim(readClaim(write(name, criterion)), options)
    return record!.verdict.outcome
  }
  assert.equal(await outcome('a.yaml', [better]), 'holds')
  assert.equal(await outcome('b.yaml', [{ says: 'worse', arm: own, atMost: -0.01 }]), 'does not hold')
  assert.equal(await outcome('c.yaml', [{ says: 'in reverse', arm: other, against: own, atLeast: 0 }]), 'does not hold')
  const record = await tryClaim(readClaim(write('a.yaml', [better])), options)
  const { value } = record!.verdict.findings[0]!.tried[0]!
  assert.equal(await outcome('d.yaml', [{ ...better, atLeast: Number(value) / 100 }]), 'cannot be told', 'as much as was found')
  assert.equal(await outcome('e.yaml', [better, { ...better, atLeast: 2 }]), 'does not hold', 'one of two')
  assert.equal(await outcome('f.yaml', [{ says: 'sooner', of: 'stepsToBest', arm: own, atMost: 1 }]), 'holds')
  assert.equal(await outcome('g.yaml', [{ says: 'never', of: 'stepsToBest', arm: other, against: own, atMost: 9 }]), 'does not hold')
  assert.equal(await outcome('h.yaml', [{ says: 'as large', of: 'share', arm: own, atMost: 50 }]), 'does not hold')
  assert.equal(trials().length, count)
  const quick = readClaim(join(folder, 'a.yaml'), { quick: true })
  const short = await tryClaim(quick, options)
  assert.equal(short!.form, 'quick')
  assert.deepEqual(short!.summary!.seeds, [1])
  assert.equal(trials().length, count, 'its trials are among those of the full form')
  assert.match(claimsPlanText(await claimsPlan([quick])), /^a +2 +300 +[\d.]+ [GM]FLOP +[\d.]+ s$/m)
})

test('the list and the plan are objects where they are asked for', async () => {
  const list = JSON.parse(await succeed(['claims', '--json'], folder)) as { name: string; claim: string }[]
  assert.deepEqual(
    list.map(({ name }) => name),
    claimNames(),
  )
  assert.ok(list.every(({ claim }) => claim.length > 0))
  const { claims, seconds } = JSON.parse(await succeed(['claims', 'a.yaml', '--plan', '--json'], folder))
  assert.deepEqual([claims.length, claims[0].name, claims[0].training.trials, claims[0].training.steps], [1, 'a', 4, 600])
  assert.equal(seconds, claims[0].training.seconds)
})

test('what is wrong with a claim is told with its place, before anything is trained', async () => {
  const options = { out: join(folder, 'wrong'), command: 'test' }
  const refuses = async (expected: RegExp, criterion: Criterion, rest: object = {}): Promise<void> => {
    const attempt = async (): Promise<unknown> => tryClaim(readClaim(write('wrong.yaml', criterion, rest)), options)
    await assert.rejects(attempt, (error) => error instanceof UserError && expected.test(error.message))
    assert.ok(!existsSync(options.out))
  }
  await refuses(/wrong\.yaml:\d+: .*expected a bound, atLeast or atMost/, [{ says: 'x', arm: own }])
  await refuses(/wrong\.yaml:\d+: the key "atleast" is not known\. Did you mean "atLeast"/, [{ says: 'x', arm: own, atleast: 0 }])
  await refuses(/no arm has the settings "all"; there are whole, nothing/, [{ says: 'x', arm: { settings: 'all' }, atLeast: 0 }])
  await refuses(/the arms have no axis "method"/, [{ says: 'x', arm: { method: 'lora' }, atLeast: 0 }])
  await refuses(/"x" sets no arm against another/, [{ says: 'x', arm: other, atLeast: 0 }])
  await refuses(/no quantity is called "scores".*Did you mean "score"/, [{ says: 'x', of: 'scores', arm: own, atLeast: 0 }])
  await refuses(/wrong\.yaml:\d+: the key "train\.step" is not known/, [better], {
    compare: { ...compare, run: { ...compare.run, train: { step: 1 } } },
  })
  await refuses(/expected either "compare", a comparison, or "measure"/, [better], { compare: undefined })
  await refuses(/wrong\.yaml:\d+: "kind"/, [{ says: 'x', of: 'time', atMost: 1 }], { compare: undefined, measure: { kind: 'speed' } })
  const unknown = await adatune(['claims', 'adalora-budget'], folder)
  assert.match(unknown.stderr, /No claim is called "adalora-budget".*Did you mean "adalora-budgets"/)
  assert.equal(unknown.code, 2)
})

test('a merged mixture and a single module are measured in turns, tasks with adapters beside copies', async () => {
  const project = projectFolder({ classes: ['0', '1'] })
  const criterion = ['weights', 'flops'].map((of) => ({ says: of, of, atMost: 1 }))
  const measure = (kind: string, rest: object, statements: Criterion): string =>
    write(`${kind}.yaml`, statements, { compare: undefined, measure: { kind, model: join(project, 'model'), ...rest } })
  const of = { adapter: { name: 'bottleneck', variant: 'ffn-output', size: 4 }, LoRA: { name: 'lora', r: 2 } }
  const inference = measure('inference', { of, rows: 2, length: 8, rounds: 1000, quick: { rounds: 10 } }, criterion)
  const one = await tryClaim(readClaim(inference, { quick: true }), { out: join(folder, 'inference'), command: 'test' })
  assert.equal(one!.verdict.outcome, 'holds')
  const [header, adapter, lora] = one!.tables[0]!
  assert.equal(header!.length, 8)
  for (const row of [adapter, lora]) assert.equal(row![1], row![2])
  const tasks = measure('adapters', { method: { name: 'lora', r: 2 }, tasks: 3, rounds: 2 }, [
    { says: 'smaller', of: 'disk', atMost: 0.9 },
    { says: 'endless', of: 'memory', atMost: 1000 },
  ])
  const without = /adapters\.yaml:\d+: no short form is given; write what it changes as "quick", or leave --quick out\.$/
  assert.throws(() => readClaim(tasks, { quick: true }), without)
  const many = await tryClaim(readClaim(tasks), { out: join(folder, 'adapters'), command: 'test' })
  assert.equal(many!.verdict.outcome, 'holds', many!.verdict.sentence)
})

test('a measurement is recorded as it was written, without the folders of the machine', async () => {
  const folder = projectFolder({ classes: ['0', '1'] })
  process.env.ADATUNE_TEST_FOLDER = folder
  const model = '$ADATUNE_TEST_FOLDER/model'
  const file = write('written.yaml', [{ says: 'smaller', of: 'disk', atMost: 0.9 }], {
    compare: undefined,
    measure: { kind: 'adapters', model, method: { name: 'lora', r: 2 }, tasks: 2, rounds: 1 },
  })
  const record = await tryClaim(readClaim(file), { out: join(folder, 'work'), command: 'test' })
  assert.equal((record!.settings as { model: string }).model, model)
  assert.ok(!JSON.stringify(record).includes(folder))
})

/** Folders with configurations of the sizes that the claims' budgets are made for, of fewer layers. */
function configurations(): (name: string) => string {
  const root = temporaryFolder()
  const bert = { model_type: 'bert', vocab_size: 30522, hidden_size: 384, num_hidden_layers: 2, num_attention_heads: 12 }
  const configs = {
    bert: { ...bert, intermediate_size: 1536, max_position_embeddings: 512 },
    t5: {
      model_type: 't5',
      vocab_size: 32128,
      d_model: 512,
      d_kv: 64,
      d_ff: 1024,
      num_layers: 2,
      num_heads: 6,
      feed_forward_proj: 'gated-gelu',
    },
  }
  for (const [name, config] of Object.entries(configs)) {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, 'config.json'), JSON.stringify(config))
  }
  return (name) => join(root, name)
}

test('every claim that comes with the package can be planned in both forms, and its criterion fits its arms', async () => {
  process.env.ADATUNE_ASSETS = '/nowhere'
  const folderOf = configurations()
  const asked =
    'adalora-budgets adalora-flat adalora-allocation adalora-summaries adamix-vs-full adamix-over-single adamix-inference adamix-cost '
  const more =
    'adamix-bottleneck adamix-experts adamix-sharing adamix-inference-modes adamix-consistency adamix-routing adamix-over-any few-shot many-tasks'
  for (const name of `${asked}${more}`.split(' ')) assert.ok(claimNames().includes(name), name)
  for (const name of claimNames()) {
    for (const quick of [true, false]) {
      const texts = name.includes('summaries') || name.includes('texts')
      const claim = openClaim(name, { quick, model: folderOf(texts ? 't5' : 'bert') })
      if (claim.kind === 'measurement') {
        for (const { of } of claim.criterion) assert.ok(claim.measuring.names.includes(of), `${name}: ${of}`)
        continue
      }
      const all = await plan(claim.comparison)
      assert.ok(all.seeds.length >= (quick ? 3 : 5), name)
      for (const statement of claim.criterion) {
        assert.ok(quantity(statement.of) && pairings(statement, all).length > 0, name)
      }
      if (quick) for (const arm of all.arms) assert.ok((await all.foretold(arm)).totalSteps > 0, arm.name)
    }
  }
})

test('the page has every claim, with what was found of it', async () => {
  const results = temporaryFolder()
  const record = readJson(folder, 'work/claim.json')
  const [name] = claimNames()
  writeFileSync(join(results, `${name}-quick.json`), JSON.stringify({ ...record, name, form: 'quick' }))
  const page = claimsPage({ results, drawings: results, link: 'claims' })
  for (const each of claimNames()) assert.ok(page.includes(`\n## ${each}\n`), each)
  assert.ok(page.includes(`**${(record.verdict as { sentence: string }).sentence}**`))
  assert.match(page, new RegExp(`^\\| \\[${name}\\]\\(#${name}\\) +\\| .* \\| (holds|does not hold|cannot be told) +\\| – +\\|$`, 'm'))
  assert.match(page, /Not tried yet: `adatune claims [\w-]+ --quick`/)
})
