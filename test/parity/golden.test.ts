import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { predictCommand } from '../../src/cli/predict.ts'
import type { RunEvent } from '../../src/train/events.ts'
import { train } from '../../src/train/run.ts'
import { readHeader, readTensor, type TensorEntry } from '../../src/weights/safetensors.ts'
import { caseRun, type GoldenCase, readCase } from './golden-case.ts'

/** Another folder of cases, in the same layout, may be named to check more of them. */
const root = process.env.ADATUNE_GOLDEN ?? join(import.meta.dirname, '../golden')

/** What float32 on another runtime should meet. */
const tolerance = { logits: 2e-4, relative: 1e-3, tensors: 2e-3 }

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0)

function assertClose(given: number, expected: number, what: string, floor = 1e-3): void {
  assert.ok(
    Math.abs(given - expected) <= tolerance.relative * Math.max(Math.abs(expected), floor),
    `${what}: ${given}, expected ${expected}`,
  )
}

/** Logits through the predict command, all rows in one list. */
async function logits(model: string, adapter: string | undefined, golden: GoldenCase, task: string, data: string): Promise<number[]> {
  const labels = golden.task === 'cls' ? { labels: '0,1,2' } : {}
  const text = await predictCommand({
    model,
    adapter: adapter === undefined ? [] : [adapter],
    task,
    ...labels,
    data,
    logits: true,
    maxLength: '128',
    batchSize: '3',
  })
  const rows = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return rows.flatMap((row) =>
    Object.keys(row)
      .sort()
      .flatMap((key) => row[key].flat()),
  )
}

function expectedLogits(answers: GoldenCase['before'], virtual: number): number[] {
  // PEFT has logits for virtual tokens, too.
  if (answers.logits) return answers.logits.flatMap((row) => (Array.isArray(row) ? row.slice(virtual).flat(2) : [row]))
  return answers.start_logits!.flatMap((row, i) => [...(answers.end_logits![i] as number[]), ...(row as number[])])
}

/** Tensors without the adapter's own name, which adapter-hub has in each of theirs. */
const anonymous = (tensors: ReadonlyMap<string, TensorEntry>): ReadonlyMap<string, TensorEntry> =>
  new Map([...tensors].map(([name, entry]) => [name.replace(/\.adapters\.\w+\./, '.adapters.'), entry]))

/** How many values two files have, and how many of these differ by more than the tolerance. */
function compareFiles(given: string, expected: string): { values: number; outliers: number } {
  const [a, b] = [anonymous(readHeader(given).tensors), anonymous(readHeader(expected).tensors)]
  let [values, outliers] = [0, 0]
  const changed = basename(given) === 'adapter.safetensors' && basename(expected) === 'model.safetensors'
  for (const [name, theirs] of changed ? [...b].filter(([known]) => a.has(known)) : b) {
    // A key's bias shifts all scores of a query alike: its gradient is rounding noise, which Adam brings to full steps.
    if (name.endsWith('.key.bias')) continue
    const mine = a.get(name)
    assert.ok(mine, `${given} lacks ${name}`)
    assert.deepEqual(mine.shape, theirs.shape, name)
    const [x, y] = [readTensor(mine), readTensor(theirs)]
    values += y.length
    outliers += y.reduce((n, value, i) => n + (Math.abs(value - x[i]!) > tolerance.tensors ? 1 : 0), 0)
  }
  return { values, outliers }
}

for (const name of readdirSync(root).filter((entry) => existsSync(join(root, entry, 'case.json')))) {
  test(`${name} trains as the reference does`, async () => {
    const golden = readCase(root, name)
    const { config, task, firstBatch, work } = caseRun(golden)
    const out = join(work, 'run')
    const virtual = golden.task === 'clm' && config.method.name === 'prompt' ? config.method.tokens : 0
    if (config.adapter?.endsWith('.safetensors') !== true) {
      const before = await logits(config.model, config.adapter ?? undefined, golden, task, firstBatch)
      const expected = expectedLogits(golden.before, virtual)
      assert.equal(before.length, expected.length)
      assert.ok(largest(before.map((value, i) => Math.abs(value - expected[i]!))) <= tolerance.logits, 'logits before training')
    }
    const events: RunEvent[] = []
    const summary = await train(config, { out, sinks: [(event) => events.push(event)] })
    assert.equal(summary.weights.trained + summary.weights.head, golden.trainable, 'trainable values')

    const ranks = new Map<string, number>()
    const steps = events.filter(({ event }) => event === 'step')
    assert.equal(steps.length, golden.steps.length)
    golden.steps.forEach((expected, i) => {
      const given = steps[i]!
      assertClose(given.loss as number, expected.loss, `loss of step ${i}`)
      if (expected.grad_norm !== undefined) assertClose(given.gradNorm as number, expected.grad_norm, `gradient norm of step ${i}`)
      if (expected.task_loss !== undefined) assertClose(given.taskLoss as number, expected.task_loss, `task loss of step ${i}`)
      if (expected.consistency !== undefined)
        assertClose(given.consistency as number, expected.consistency, `consistency of step ${i}`, 1e-2)
      if (expected.penalty !== undefined) assertClose(given.penalty as number, expected.penalty, `penalty of step ${i}`)
      for (const event of events.filter((other) => other.event === 'ranks' && other.step === i + 1)) {
        for (const [module, rank] of Object.entries(event.ranks as Record<string, number>)) ranks.set(module, rank)
      }
      for (const [parameter, rank] of Object.entries(expected.ranks ?? {})) {
        const module = parameter.replace('base_model.model.', '').replace('.lora_E.default', '')
        assert.equal(ranks.get(module), rank, `rank of ${module} after step ${i}`)
      }
    })

    const expected = expectedLogits(golden.after, virtual)
    const after = await logits(config.model, join(out, 'adapter'), golden, task, firstBatch)
    // Adam makes much of differences where a gradient is nearly zero, so that training widens the tolerance.
    assert.ok(largest(after.map((value, i) => Math.abs(value - expected[i]!))) <= 0.05, 'logits after training')

    const files = [
      ['adapter/adapter_model.safetensors', 'adapter_final/adapter_model.safetensors'],
      ['adapter/adapter.safetensors', 'adapter_final/adapter.safetensors'],
      ['adapter/model.safetensors', 'adapter_final/model.safetensors'],
      ['adapter/adapter.safetensors', 'adapter_final/model.safetensors'],
      ['experts.safetensors', 'experts_final.safetensors'],
    ].filter(([mine, theirs]) => existsSync(join(out, mine!)) && existsSync(join(golden.folder, theirs!)))
    assert.ok(files.length > 0, 'a saved file to compare')
    for (const [mine, theirs] of files) {
      const { values, outliers } = compareFiles(join(out, mine!), join(golden.folder, theirs!))
      assert.ok(outliers <= values * 1e-3, `${mine}: ${outliers} of ${values} values differ by more than ${tolerance.tensors}`)
    }
    assert.match(readFileSync(join(out, 'run.jsonl'), 'utf8'), /"event":"done"/)
    rmSync(work, { recursive: true })
  })
}
