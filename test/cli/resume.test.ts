import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRun } from '../../src/config/parse.ts'
import { stepFolder } from '../../src/train/checkpoint.ts'
import { resume, train } from '../../src/train/run.ts'
import {
  adatune,
  assertSameRun,
  checkpoints,
  eventsOf,
  projectFolder,
  readJson,
  recordOf,
  start,
  stepsDone,
  succeed,
  until,
  writeRun,
} from './project.ts'

const folder = projectFolder()
const steps = 40
// Whole paths, so that the test's own process can go on with these runs, too.
const here = { model: join(folder, 'model'), data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'eval.jsonl') } }
/** Evaluations and checkpoints fall on different updates. */
const common = { steps, evalEvery: 5, keepBest: 'loss', checkpointEvery: 3, learningRate: 0.02, threads: 1 }
const methods = {
  lora: { method: { name: 'lora', r: 4, dropout: 0.1 }, train: { ...common, threads: 2, accumulate: 2, tokensAtOnce: 16 } },
  adalora: {
    method: { name: 'adalora', initR: 4, targetR: 2, tInit: 4, tFinal: 14, deltaT: 3, dropout: 0.1, shrink: 'final' },
    train: common,
  },
  adamix: {
    method: {
      name: 'adamix',
      experts: 3,
      of: { name: 'bottleneck', size: 4 },
      consistency: { weight: 2, schedule: { name: 'ramp', over: 0.5 }, crossEntropy: 'both' },
    },
    train: common,
  },
}
type Name = keyof typeof methods
for (const [name, settings] of Object.entries(methods)) writeRun(folder, `${name}.yaml`, { ...here, ...settings })

const unbroken = new Map<Name, Promise<string>>()
/** The run of a method that nothing interrupted. */
function whole(name: Name): Promise<string> {
  const run = async (): Promise<string> => {
    await succeed(['train', `${name}.yaml`, '--out', `${name}-whole`, '--quiet'], folder)
    return join(folder, `${name}-whole`)
  }
  if (!unbroken.has(name)) unbroken.set(name, run())
  return unbroken.get(name)!
}

/** Starts a run or goes on with it, and kills it once its record tells of update `step`. Returns whether the kill came before the end. */
async function killAt(step: number, name: Name, out: string): Promise<boolean> {
  const run = join(folder, out)
  const going = existsSync(join(run, 'config.json')) ? ['--resume', out] : [`${name}.yaml`, '--out', out]
  const { child, ended } = start(['train', ...going, '--quiet'], folder)
  await until(() => child.exitCode !== null || stepsDone(run) >= step, `update ${step} of ${out}`)
  child.kill('SIGKILL')
  const { code, signal, stderr } = await ended
  assert.ok(signal === 'SIGKILL' || code === 0, stderr)
  return signal === 'SIGKILL'
}

for (const [name, kills] of [
  ['lora', 10],
  ['adalora', 4],
  ['adamix', 3],
] as const) {
  test(`${name}: a run that is killed ${kills} times ends in the bytes of an unbroken one`, async () => {
    const expected = await whole(name)
    const moments = Array.from({ length: kills }, () => 1 + Math.floor(Math.random() * (steps - 2))).sort((a, b) => a - b)
    const context = `(killed after updates ${moments.join(', ')})`
    const out = `${name}-killed`
    let landed = 0
    for (const moment of moments) if (await killAt(moment, name, out)) landed++
    assert.ok(landed > 0, context)
    await succeed(['train', '--resume', out, '--quiet'], folder)
    assertSameRun(join(folder, out), expected, context)
  })
}

test('what is compared is not empty', async () => {
  const kinds = async (name: Name): Promise<unknown[]> => eventsOf(recordOf(await whole(name))).map(({ event }) => event)
  const lora = await kinds('lora')
  assert.deepEqual([lora.filter((event) => event === 'step').length, lora.filter((event) => event === 'eval').length], [steps, 8])
  assert.deepEqual([lora[0], lora.at(-1)], ['run', 'done'])
  assert.ok(Number(readJson(await whole('lora'), 'metrics.json').keptStep) < steps)
  assert.ok((await kinds('adalora')).filter((event) => event === 'ranks').length > 2)
  assert.ok(existsSync(join(await whole('adamix'), 'experts.safetensors')))
})

const killed = (async () => {
  await whole('lora')
  // On a busy machine a kill may come after the end.
  for (let i = 0; i < 10; i++) if (await killAt(19, 'lora', `to-damage-${i}`)) return join(folder, `to-damage-${i}`)
  throw new Error('no kill came before the end of the run')
})()

/** A copy of a run that was killed between two checkpoints. */
async function killedRun(name: string): Promise<string> {
  const run = join(folder, name)
  cpSync(await killed, run, { recursive: true })
  assert.ok(checkpoints(run).length >= 2)
  return run
}

/** Goes on with a run in this process to the end, which must be that of the unbroken run. Returns what it gave notice of. */
async function goOn(run: string): Promise<string[]> {
  const notices: string[] = []
  const { finished } = await resume(run, { notice: (text) => notices.push(text) })
  assert.ok(finished)
  assertSameRun(run, await whole('lora'))
  return notices
}

function flipBit(file: string, at: number): void {
  const bytes = readFileSync(file)
  const place = at < 0 ? bytes.length + at : at
  bytes[place] = bytes[place]! ^ 1
  writeFileSync(file, bytes)
}

test('a checkpoint that is whole is not written over, by a stop after it or by one after a resume', async () => {
  const out = join(folder, 'stopped')
  const written = stepFolder(join(out, 'checkpoints'), 3)
  const inode = (): number => statSync(written).ino
  let first = 0
  const stopRequested = (): boolean => {
    if (existsSync(written)) first = inode()
    return first !== 0
  }
  const { finished } = await train(parseRun({ task: 'sequence-classification', ...here, ...methods.lora }, 'run.yaml'), {
    out,
    stopRequested,
  })
  assert.deepEqual([finished, inode()], [false, first])
  await resume(out, { stopRequested: () => true })
  assert.equal(inode(), first)
})

const damages: Record<string, (checkpoint: string) => void> = {
  'cut short': (checkpoint) => truncateSync(join(checkpoint, 'state.safetensors'), 1000),
  'with one bit changed in its tensors': (checkpoint) => flipBit(join(checkpoint, 'state.safetensors'), -7),
  'with one bit changed in its progress': (checkpoint) => flipBit(join(checkpoint, 'progress.json'), 20),
  'without its tensors': (checkpoint) => rmSync(join(checkpoint, 'state.safetensors')),
  'without its progress': (checkpoint) => rmSync(join(checkpoint, 'progress.json')),
  'with an empty manifest': (checkpoint) => writeFileSync(join(checkpoint, 'manifest.json'), ''),
  'without any file': (checkpoint) => {
    rmSync(checkpoint, { recursive: true })
    mkdirSync(checkpoint)
  },
}
for (const [damage, apply] of Object.entries(damages)) {
  test(`a checkpoint ${damage} is passed over`, async () => {
    const run = await killedRun(`checkpoint ${damage}`)
    const [before, torn] = checkpoints(run).slice(-2) as [string, string]
    apply(torn)
    assert.deepEqual(await goOn(run), [
      `${torn} is damaged and was passed over.`,
      `Going on after update ${Number(before.slice(-8))} of ${steps}.`,
    ])
  })
}

test('on the command line the notice goes to stderr', async () => {
  const run = await killedRun('notice')
  const torn = checkpoints(run).at(-1)!
  rmSync(join(torn, 'manifest.json'))
  const { code, stderr } = await adatune(['train', '--resume', 'notice'], folder)
  assert.equal(code, 0, stderr)
  assert.ok(stderr.startsWith(`${torn.slice(folder.length + 1)} is damaged and was passed over.\n`), stderr)
  assertSameRun(run, await whole('lora'))
})

test('where every checkpoint is damaged the run starts over', async () => {
  const run = await killedRun('all damaged')
  const all = checkpoints(run)
  for (const checkpoint of all) truncateSync(join(checkpoint, 'progress.json'), 10)
  assert.deepEqual(
    await goOn(run),
    all.reverse().map((checkpoint) => `${checkpoint} is damaged and was passed over.`),
  )
})

test('a checkpoint whose best state is damaged is passed over', async () => {
  const run = await killedRun('best damaged')
  const all = checkpoints(run)
  const best = readdirSync(join(run, 'checkpoints')).filter((entry) => /^best-\d+$/.test(entry))
  assert.ok(best.length > 0)
  for (const entry of best) truncateSync(join(run, 'checkpoints', entry, 'state.safetensors'), 1000)
  assert.deepEqual(
    await goOn(run),
    all.reverse().map((checkpoint) => `${checkpoint} is damaged and was passed over.`),
  )
})

test('what a kill leaves half-written is swept', async () => {
  const run = await killedRun('half-written')
  const left = join(run, 'checkpoints', 'step-00000021.0f1e.tmp')
  mkdirSync(left)
  writeFileSync(join(left, 'state.safetensors'), 'x')
  appendFileSync(join(run, 'run.jsonl'), `${'{"event":"step"}\n'.repeat(2000)}{"event":"st`)
  await goOn(run)
  assert.ok(!existsSync(left))
  assert.ok(readdirSync(join(run, 'checkpoints')).every((entry) => /^(step|best)-\d{8}$/.test(entry)))
})

test('a run without a checkpoint starts over', async () => {
  const run = await killedRun('no checkpoint')
  rmSync(join(run, 'checkpoints'), { recursive: true })
  assert.deepEqual(await goOn(run), [])
})

test('a finished run may be resumed', async () => {
  const run = join(folder, 'finished')
  cpSync(await whole('lora'), run, { recursive: true })
  assert.deepEqual(await goOn(run), ['The run is trained to its end; its results are written again.'])
})

test('a run whose model has changed, or the routes that its method repeats, is not resumed', async () => {
  const other = projectFolder()
  const route = (down: number) => Object.fromEntries([0, 1].map((layer) => [`bert.encoder.layer.${layer}.output.dense`, { down }]))
  const routes = [1, 2].map(() => [route(0), route(1)])
  const file = join(other, 'routes.json')
  writeFileSync(file, JSON.stringify(routes))
  const method = { name: 'adamix', of: { name: 'bottleneck', size: 4 }, routing: { name: 'replay', file: './routes.json' } }
  writeRun(other, 'run.yaml', { method, train: { steps: 2 } })
  await succeed(['train', 'run.yaml', '--out', 'run', '--quiet'], other)
  const refused = async (name: RegExp): Promise<void> => {
    const { code, stderr } = await adatune(['train', '--resume', 'run'], other)
    assert.equal(code, 2, stderr)
    assert.match(stderr, name)
  }
  appendFileSync(file, '\n')
  await refused(/^adatune: \.\/routes\.json has changed since the run in run began; start a new run\.\n$/)
  writeFileSync(file, JSON.stringify(routes))
  const weights = join(other, 'model/model.safetensors')
  const bytes = readFileSync(weights)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(weights, bytes)
  await refused(/^adatune: model has changed since the run in run began; start a new run\.\n$/)
})

test('a run whose data has changed or gone, or whose settings are damaged, is not resumed', async () => {
  const other = projectFolder()
  const [run, evalFile] = [join(other, 'run'), join(other, 'eval.jsonl')]
  writeRun(other, 'run.yaml', { train: { steps: 2 } })
  await succeed(['train', 'run.yaml', '--out', 'run', '--quiet'], other)
  const before = recordOf(run)
  const refused = async (message: RegExp): Promise<void> => {
    const { code, stderr } = await adatune(['train', '--resume', 'run'], other)
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
    assert.equal(recordOf(run), before)
  }
  appendFileSync(evalFile, '{"input_ids":[1,2],"label":"no"}\n')
  await refused(/^adatune: eval\.jsonl has changed since the run in run began; start a new run\.\n$/)
  rmSync(evalFile)
  await refused(/^adatune: eval\.jsonl, a source of the run in run, is not there; [^\n]*\n$/)
  truncateSync(join(run, 'env.json'), 10)
  await refused(/^adatune: run\/env\.json is not JSON [^\n]*\n$/)
  truncateSync(join(run, 'config.json'), 10)
  await refused(/^adatune: run\/config\.json is not JSON [^\n]*\n$/)
})

test('seeds that have not begun are not trained on other data or weights than those that are finished', async () => {
  const other = projectFolder()
  const [data, weights] = [join(other, 'train.jsonl'), join(other, 'model/model.safetensors')]
  writeRun(other, 'run.yaml', { train: { steps: 2, seeds: [1, 2] } })
  await succeed(['train', 'run.yaml', '--out', 'run', '--quiet'], other)
  // As a process leaves it that ends while the second seed is prepared.
  const whole = readJson(other, 'run/metrics.json')
  for (const name of ['seed-2', 'metrics.json']) rmSync(join(other, 'run', name), { recursive: true })
  const refused = async (message: RegExp): Promise<void> => {
    const { code, stderr } = await adatune(['train', '--resume', 'run', '--quiet'], other)
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
    assert.ok(!existsSync(join(other, 'run/seed-2')))
  }
  const rows = readFileSync(data)
  appendFileSync(data, '{"input_ids":[1,2],"label":"no"}\n')
  await refused(/^adatune: train\.jsonl has changed since the run in run\/seed-1 began; start a new run\.\n$/)
  rmSync(data)
  await refused(/^adatune: train\.jsonl, a source of the run in run\/seed-1, is not there; [^\n]*\n$/)
  writeFileSync(data, rows)
  const bytes = readFileSync(weights)
  writeFileSync(
    weights,
    Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)),
  )
  await refused(/^adatune: model has changed since the run in run\/seed-1 began; start a new run\.\n$/)
  writeFileSync(weights, bytes)
  await succeed(['train', '--resume', 'run', '--quiet'], other)
  assert.deepEqual(readJson(other, 'run/metrics.json'), whole)
})
