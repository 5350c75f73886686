import assert from 'node:assert/strict'
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { adatune, assertSameRun, checkpoints, eventsOf, projectFolder, readJson, recordOf, start, stepsDone, succeed, until, writeRun } from './project.ts'

const folder = projectFolder()
const steps = 40
/** Evaluations and checkpoints fall on different updates. */
const common = { steps, evalEvery: 5, keepBest: 'loss', checkpointEvery: 3, learningRate: 0.02, threads: 1 }
const methods = {
  lora: { method: { name: 'lora', r: 4, dropout: 0.1 }, train: { ...common, threads: 2, accumulate: 2 } },
  adalora: {
    method: { name: 'adalora', initR: 4, targetR: 2, tInit: 4, tFinal: 14, deltaT: 3, dropout: 0.1, shrink: 'final' },
    train: common,
  },
  adamix: { method: { name: 'adamix', experts: 3, of: { name: 'bottleneck', size: 4 } }, train: common },
}
type Name = keyof typeof methods
for (const [name, settings] of Object.entries(methods)) writeRun(folder, `${name}.yaml`, settings)

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
  const { child, ended } = start(existsSync(run) ? ['train', '--resume', out, '--quiet'] : ['train', `${name}.yaml`, '--out', out, '--quiet'], folder)
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
    assert.ok(Number(readJson(expected, 'metrics.json').keptStep) < steps, 'the best evaluation is not the last')
    const moments = Array.from({ length: kills }, () => 1 + Math.floor(Math.random() * (steps - 2))).sort((a, b) => a - b)
    const out = `${name}-killed`
    let landed = 0
    for (const moment of moments) if (await killAt(moment, name, out)) landed++
    const context = `(killed after updates ${moments.join(', ')})`
    assert.ok(landed > 0, context)
    await succeed(['train', '--resume', out, '--quiet'], folder)
    assertSameRun(join(folder, out), expected, context)
  })
}

test('no update of the method is missing from what is compared', async () => {
  const kinds = (name: Name): Promise<unknown[]> => whole(name).then((run) => eventsOf(recordOf(run)).map(({ event }) => event))
  const lora = await kinds('lora')
  assert.equal(lora.filter((event) => event === 'step').length, steps)
  assert.equal(lora.filter((event) => event === 'eval').length, 8)
  assert.equal(lora.at(-1), 'done')
  assert.ok((await kinds('adalora')).filter((event) => event === 'ranks').length > 2)
})

/** A run killed between two checkpoints, to damage. */
const stopped = (async () => {
  await whole('lora')
  assert.ok(await killAt(20, 'lora', 'stopped'))
  return join(folder, 'stopped')
})()

const newest = (run: string): string => checkpoints(run).at(-1)!
const flip = (file: string, at: number): void => {
  const bytes = readFileSync(file)
  bytes[at < 0 ? bytes.length + at : at]! ^= 1
  writeFileSync(file, bytes)
}
const damages: Record<string, (checkpoint: string) => void> = {
  'cut short': (checkpoint) => truncateSync(join(checkpoint, 'state.safetensors'), 1000),
  'changed in one bit': (checkpoint) => flip(join(checkpoint, 'state.safetensors'), -7),
  'with other progress': (checkpoint) => flip(join(checkpoint, 'progress.json'), 20),
  'without its tensors': (checkpoint) => rmSync(join(checkpoint, 'state.safetensors')),
  'without its manifest': (checkpoint) => rmSync(join(checkpoint, 'manifest.json')),
  'with an empty manifest': (checkpoint) => writeFileSync(join(checkpoint, 'manifest.json'), ''),
  'without any file': (checkpoint) => {
    rmSync(checkpoint, { recursive: true })
    mkdirSync(checkpoint)
  },
}
for (const [damage, apply] of Object.entries(damages)) {
  test(`a checkpoint ${damage} is passed over`, async () => {
    const out = `torn-${damage.replaceAll(' ', '-')}`
    const run = join(folder, out)
    cpSync(await stopped, run, { recursive: true })
    assert.equal(checkpoints(run).length, 2)
    const torn = newest(run)
    apply(torn)
    mkdirSync(join(run, 'checkpoints', 'step-00000021.0f1e.tmp'))
    writeFileSync(join(run, 'checkpoints', 'step-00000021.0f1e.tmp', 'state.safetensors'), 'x')
    const { code, stderr } = await adatune(['train', '--resume', out], folder)
    assert.equal(code, 0, stderr)
    const name = torn.slice(folder.length + 1)
    assert.ok(stderr.includes(`${name} is damaged and was passed over.\n`), stderr)
    assert.match(stderr, new RegExp(`Going on after update ${Number(torn.slice(-8)) - 3} of ${steps}\\.`))
    assertSameRun(run, await whole('lora'))
    assert.deepEqual(
      readdirSync(join(run, 'checkpoints')).filter((entry) => entry.endsWith('.tmp')),
      [],
    )
  })
}

test('a damaged best state costs only the way back to a checkpoint that has its own', async () => {
  const run = join(folder, 'torn-best')
  cpSync(await stopped, run, { recursive: true })
  const best = readdirSync(join(run, 'checkpoints')).filter((entry) => entry.startsWith('best-'))
  assert.ok(best.length > 0)
  for (const entry of best) truncateSync(join(run, 'checkpoints', entry, 'state.safetensors'), 1000)
  const { code, stderr } = await adatune(['train', '--resume', 'torn-best'], folder)
  assert.equal(code, 0, stderr)
  assert.match(stderr, /damaged and was passed over/)
  assertSameRun(run, await whole('lora'))
})

test('a run without a checkpoint starts over', async () => {
  const run = join(folder, 'started-over')
  cpSync(await stopped, run, { recursive: true })
  rmSync(join(run, 'checkpoints'), { recursive: true })
  await succeed(['train', '--resume', 'started-over', '--quiet'], folder)
  assertSameRun(run, await whole('lora'))
})

test('a record cut in the middle of a line goes on where the checkpoint stands', async () => {
  const run = join(folder, 'cut-record')
  cpSync(await stopped, run, { recursive: true })
  appendFileSync(join(run, 'run.jsonl'), '{"event":"step","st')
  await succeed(['train', '--resume', 'cut-record', '--quiet'], folder)
  assertSameRun(run, await whole('lora'))
})

test('a finished run may be resumed', async () => {
  const run = join(folder, 'finished-twice')
  cpSync(await whole('lora'), run, { recursive: true })
  await succeed(['train', '--resume', 'finished-twice', '--quiet'], folder)
  assertSameRun(run, await whole('lora'))
})

test('a run whose data has changed or gone is not resumed', async () => {
  const other = projectFolder()
  writeRun(other, 'run.yaml', { train: { steps: 2 } })
  await succeed(['train', 'run.yaml', '--out', 'run', '--quiet'], other)
  const before = recordOf(join(other, 'run'))
  appendFileSync(join(other, 'eval.jsonl'), '{"input_ids":[1,2],"label":"no"}\n')
  const refused = async (message: RegExp): Promise<void> => {
    const { code, stderr } = await adatune(['train', '--resume', 'run'], other)
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
    assert.equal(recordOf(join(other, 'run')), before)
  }
  await refused(/^adatune: eval\.jsonl has changed since the run in run began; start a new run\.\n$/)
  rmSync(join(other, 'eval.jsonl'))
  await refused(/^adatune: .*eval\.jsonl.*\n$/)
})
