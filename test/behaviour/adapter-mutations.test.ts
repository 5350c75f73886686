import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../src/errors.ts'
import { outline } from '../../src/evaluate/assembly.ts'
import { type Adapter, methodOf, type Subject } from '../../src/formats/adapter.ts'
import { describeAdapter, loadAdapter, saveAdapter } from '../../src/formats/index.ts'
import { heads } from '../../src/heads/index.ts'
import { type MethodOptions, methodOptions, methods } from '../../src/methods/index.ts'
import { openModel } from '../../src/models/open.ts'
import { parameterName } from '../../src/nn/method.ts'
import { stream } from '../../src/random/draws.ts'
import { keyOf } from '../../src/random/key.ts'
import { mutate } from './mutation.ts'
import { disturb, prepare, temporaryFolder, tinySubject } from './tiny-model.ts'

const tiny = { vocab_size: 12, hidden_size: 8, intermediate_size: 8, max_position_embeddings: 12 }
const tinyModel = tinySubject(tiny)
const queries = [0, 1].map((layer) => `bert.encoder.layer.${layer}.attention.self.query`)
const kept = Object.fromEntries(queries.map((name, i) => [name, [true, i === 0, false]]))

interface Kind {
  readonly options: { readonly name: MethodOptions['name']; readonly [key: string]: unknown }
  readonly memory?: unknown
  /** Whether the folder says enough without adatune's note. */
  readonly foreign: boolean
}

const kinds: Readonly<Record<string, Kind>> = {
  lora: { options: { name: 'lora', r: 2, rankPattern: { '0.attention.self.query': 1 }, alphaPattern: { value: 3 } }, foreign: true },
  'lora by an expression': { options: { name: 'lora', r: 1, targets: '.*1\\.attention.*(query|key)', bias: 'all' }, foreign: true },
  adalora: {
    options: { name: 'adalora', initR: 3, targetR: 1, targets: ['query'] },
    memory: { kept, shrunk: false, ranks: null },
    foreign: true,
  },
  'adalora before its last allocation': { options: { name: 'adalora', initR: 2, targetR: 1, targets: ['query'] }, foreign: true },
  bottleneck: { options: { name: 'bottleneck', size: 3, layers: [1] }, foreign: true },
  prompt: { options: { name: 'prompt', tokens: 3, init: 'random' }, foreign: true },
  prefix: { options: { name: 'prefix', tokens: 2 }, foreign: true },
  bitfit: { options: { name: 'bitfit' }, foreign: false },
  full: { options: { name: 'full' }, foreign: true },
}

type Files = ReadonlyMap<string, Buffer>

/** The files of a saved adapter. */
function saved({ options: given, memory = null }: Kind): { subject: Subject; files: Files; folder: string } {
  const { shape, state } = prepare(tinyModel, methods[given.name], given, { memory })
  disturb(state, /./)
  const subject = { model: tinyModel.model, outline: shape }
  const card = {
    task: 'sequence-classification',
    labels: ['no', 'yes', 'ü'],
    outputs: 3,
    baseModel: null,
    adapterName: null,
    totalSteps: 9,
  } as const
  const folder = join(temporaryFolder(), 'adapter')
  saveAdapter(folder, { options: methodOptions.parse(given) as MethodOptions, memory, state, card }, subject)
  return { subject, folder, files: new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])) }
}

/** What is accepted has options that hold, and every tensor of its method in its shape. */
function assertSound({ options, memory, state }: Adapter, subject: Subject, what: string): void {
  assert.deepEqual(methodOptions.parse(options), options, what)
  const method = methodOf({ options, memory }, subject)
  const own = subject.outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]): [string, readonly number[]] => [parameterName(site, role), shape]),
  )
  const shapes = new Map<string, readonly number[]>([...subject.outline.base].map(([name, { shape }]) => [name, shape]))
  for (const [name, shape] of own) {
    assert.ok(state.has(name), `${what}: ${name} is missing`)
    shapes.set(name, shape)
  }
  for (const [name, { shape, data }] of state) {
    assert.deepEqual([...shape], [...(shapes.get(name) ?? [])], `${what}: ${name}`)
    assert.ok(data instanceof Float32Array && data.length === shape.reduce((a, b) => a * b, 1), `${what}: ${name}`)
  }
}

/** Loads what lies in the folder: an adapter, or null where it is refused with a sentence. Anything else throws. */
function load(folder: string, subject: Subject, what: string): Adapter | null {
  try {
    describeAdapter(folder)
    return loadAdapter(folder, subject)
  } catch (error) {
    if (error instanceof UserError && /[.?]$/.test(error.message)) return null
    throw new Error(`${what}: ${(error as Error).stack}`)
  }
}

/** The files of an adapter that Python saved. */
function interop(name: string): ReturnType<typeof saved> {
  const source = fileURLToPath(new URL(`../interop/bert/${name}`, import.meta.url))
  const model = openModel(join(source, '../model'), (checkpoint) => checkpoint)
  const folder = join(temporaryFolder(), 'adapter')
  cpSync(source, folder, { recursive: true })
  const names = readdirSync(folder).filter((file) => file !== 'logits.json')
  const subject = { model, outline: outline({ model, head: heads['sequence-classification'], labels: 3 }) }
  return { subject, folder, files: new Map(names.map((file) => [file, readFileSync(join(folder, file))])) }
}

const COUNT = 10_000
/** Far above what a folder of some ten kilobytes needs, and far below what a mutated size can claim. */
const MOST_BYTES = 16e6
const cases = [
  ...Object.entries(kinds).flatMap(([name, kind]) => [
    { name, made: () => saved(kind), noted: true },
    ...(kind.foreign ? [{ name, made: () => saved(kind), noted: false }] : []),
  ]),
  ...['lora', 'prefix', 'flexible-pooled', 'peft-half'].map((name) => ({
    name: `${name} of Python's`,
    made: () => interop(name),
    noted: false,
  })),
]

for (const [i, { name, made, noted }] of cases.entries()) {
  test(`${name} ${noted ? "of adatune's own" : 'from elsewhere'}: a mutation is refused with a sentence, or what is read is sound`, () => {
    const { subject, files, folder } = made()
    if (!noted) rmSync(join(folder, 'adatune.json'), { force: true })
    const names = [...files.keys()].filter((file) => noted || file !== 'adatune.json')
    assertSound(load(folder, subject, name)!, subject, name)
    let accepted = 0
    for (let n = 0; n < COUNT / cases.length; n++) {
      const draws = stream(keyOf('mutations', i, n))
      const file = names[draws.below(names.length)]!
      const { bytes, how } = mutate(files.get(file)!, draws)
      const what = `${name}, mutation ${n}, ${file}: ${how}`
      writeFileSync(join(folder, file), bytes)
      const before = process.memoryUsage()
      const adapter = load(folder, subject, what)
      const after = process.memoryUsage()
      assert.ok(after.arrayBuffers - before.arrayBuffers < MOST_BYTES && after.heapUsed - before.heapUsed < MOST_BYTES, what)
      writeFileSync(join(folder, file), files.get(file)!)
      if (noted) assert.equal(adapter !== null, bytes.equals(files.get(file)!), `${what}: any change is caught`)
      if (!adapter) continue
      accepted++
      assertSound(adapter, subject, what)
    }
    if (!noted) assert.ok(accepted > 0, 'some mutations do no harm')
  })
}
