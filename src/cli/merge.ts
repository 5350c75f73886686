import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type { Example } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import { type Adapted, openAdapted } from '../evaluate/adapted.ts'
import { openForward } from '../evaluate/forward.ts'
import { findModel } from '../evaluate/open-task.ts'
import { mergeState, saveModel } from '../formats/index.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { explained } from '../weights/file-access.ts'
import { printNotice } from './options.ts'

export interface MergeFlags {
  readonly model: string
  readonly adapter: string
  readonly out: string
}

/** The most that merged logits may differ from the adapter's, relative to the largest of them: float32 sums in another order. */
const TOLERANCE = 1e-3

/** Rows of random tokens, of lengths 3 to 24, to compare two models on. */
function probes({ open }: Adapted): Example[] {
  const { vocabularySize, maxPositions } = open.subject.model.wiring
  const draws = stream(keyOf('merge'))
  return Array.from({ length: 8 }, (_, i) => {
    const length = Math.min(3 * (i + 1), maxPositions)
    const ids = Int32Array.from({ length }, () => draws.below(vocabularySize))
    return { ids, types: new Int32Array(length), mask: new Uint8Array(length).fill(1), label: null, file: '', line: 0 }
  })
}

async function logitsOf({ open, method, state }: Adapted, examples: readonly Example[]): Promise<number[]> {
  const forward = await openForward(open.subject, method, state, { batchSize: examples.length })
  const rows = await forward.logits(examples, state)
  await forward.close()
  return rows.flatMap((row) => [...row])
}

/** Folds an adapter into its model and writes the result as an ordinary Hugging Face folder, once its logits are the adapter's. */
export async function mergeCommand({ model: id, adapter, out }: MergeFlags): Promise<string> {
  if (existsSync(out) && explained(out, () => readdirSync(out)).length > 0)
    throw new UserError(`${out} is not empty; choose another folder with --out.`)
  const model = await findModel(id)
  const adapted = openAdapted(model, { adapter, task: null, labels: null }, printNotice)
  const { open, method, state } = adapted
  const merged = mergeState(model, method, state, open.outline.sites)
  const temporary = `${out.replace(/\/+$/, '')}.tmp-${process.pid}`
  try {
    saveModel(temporary, model, merged, adapted.adapter!.card, open.outline.base)
    const alone = openAdapted(await findModel(temporary), {
      adapter: null,
      task: open.name,
      labels: open.labels.length > 0 ? open.labels : null,
    })
    const examples = probes(adapted)
    const [before, after] = [await logitsOf(adapted, examples), await logitsOf(alone, examples)]
    const largest = Math.max(...before.map(Math.abs), 1e-6)
    const difference = Math.max(...before.map((value, i) => Math.abs(value - after[i]!))) / largest
    if (!(difference <= TOLERANCE)) {
      throw new UserError(
        `The merged model's logits differ from the adapter's by ${difference.toExponential(1)} of the largest; nothing was written.`,
      )
    }
    rmSync(out, { recursive: true, force: true })
    renameSync(temporary, out)
    return `Merged into ${out}; on ${examples.length} rows its logits differ by at most ${difference.toExponential(1)} of the largest.\n`
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
