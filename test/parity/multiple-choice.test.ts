import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRun } from '../../src/config/parse.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import type { RunEvent } from '../../src/train/events.ts'
import { train } from '../../src/train/run.ts'
import { assertNear, temporaryFolder } from '../behaviour/tiny-model.ts'

interface Case {
  readonly rows: readonly { readonly input_ids: readonly (readonly number[])[]; readonly label: number }[]
  readonly before: readonly (readonly number[])[]
  readonly steps: readonly { readonly loss: number; readonly grad_norm: number }[]
  readonly after: readonly (readonly number[])[]
}

/** What all choices share tells nothing: its gradient is rounding noise, of which Adam makes full steps. */
const centred = (logits: readonly number[]): number[] => {
  const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length
  return logits.map((logit) => logit - mean)
}

const root = join(import.meta.dirname, '../golden/multiple-choice')

for (const name of readdirSync(root).filter((entry) => !entry.includes('.'))) {
  test(`${name} weighs choices, two to four a question, and learns them as transformers does`, async () => {
    const folder = join(root, name)
    const golden: Case = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'))
    const logits = async (options: { model: string; task?: string }): Promise<number[][]> => {
      const predictor = await openPredictor(options)
      const answers = await predictor.predict(
        golden.rows.map((row) => ({ ...row })),
        { logits: true },
      )
      await predictor.close()
      return answers.map((answer) => answer.logits as number[])
    }
    const before = await logits({ model: folder, task: 'multiple-choice' })
    golden.before.forEach((row, i) => {
      assertNear(before[i]!, row, 1e-5, `question ${i}`)
    })

    const work = temporaryFolder()
    const [data, out] = [join(work, 'rows.jsonl'), join(work, 'run')]
    writeFileSync(data, golden.rows.map((row) => JSON.stringify(row)).join('\n'))
    const events: RunEvent[] = []
    const config = parseRun(
      {
        model: folder,
        task: 'multiple-choice',
        method: { name: 'full' },
        data: { train: data },
        train: {
          ...{ batchSize: golden.rows.length, steps: golden.steps.length, shuffle: false, threads: 1 },
          ...{ learningRate: 1e-2, schedule: 'constant', warmupSteps: 0, weightDecay: 0.01, maxGradNorm: null },
        },
      },
      name,
    )
    await train(config, { out, sinks: [(event) => events.push(event)] })
    const steps = events.filter(({ event }) => event === 'step')
    golden.steps.forEach(({ loss, grad_norm }, i) => {
      assertNear([steps[i]!.loss as number, steps[i]!.gradNorm as number], [loss, grad_norm], 1e-3 * Math.max(1, grad_norm), `step ${i}`)
    })
    const after = await logits({ model: join(out, 'adapter') })
    golden.after.forEach((row, i) => {
      assertNear(centred(after[i]!), centred(row), 0.02, `question ${i} after training`)
    })
    assert.match(readFileSync(join(out, 'adapter/config.json'), 'utf8'), /ForMultipleChoice/)
  })
}
