import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type { Example } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import type { Adapted } from '../evaluate/adapted.ts'
import { withForward } from '../evaluate/forward.ts'
import { PROBE_ROWS, probeRows } from '../evaluate/probe-rows.ts'
import { explained } from '../file-faults.ts'
import { everywhere } from '../heads/head.ts'
import { logitGaps } from './logit-gaps.ts'

/** The most that logits may differ, relative to the largest of them: float32 sums in another order. */
const TOLERANCE = 1e-3

function logitsOf({ open: { subject }, method, state }: Adapted, examples: readonly Example[]): Promise<Float32Array[]> {
  const asked = { ...subject, head: everywhere(subject.head) }
  return withForward(asked, method, state, { batchSize: PROBE_ROWS }, (forward) => forward.logits(examples, state))
}

/** How far logits are from those expected at the most, over the largest of these, on a few rows of random tokens. */
export async function logitGap(expected: Adapted, given: Adapted): Promise<number> {
  const examples = probeRows(expected.open.subject.model)
  const [before, after] = [await logitsOf(expected, examples), await logitsOf(given, examples)]
  const gaps = logitGaps()
  for (const [i, row] of before.entries()) gaps.add(after[i]!, row)
  return gaps.largest / Math.max(gaps.most, 1e-6)
}

/** A gap of logits in words. */
export const logitGapText = (gap: number): string => `differ by at most ${gap.toExponential(1)} of the largest`

/** A folder that does not exist or is empty; else a UserError. */
export function assertFree(out: string): void {
  if (existsSync(out) && explained(out, () => readdirSync(out)).length > 0)
    throw new UserError(`${out} is not empty; choose another folder with --out.`)
}

/**
 * Makes the folder `out` once what is written there answers as `expected` does: `write` fills a temporary folder beside it, `open`
 * opens that. Returns how far the logits are apart, as `logitGap` does.
 * @throws UserError where `out` is not empty, or the logits differ; nothing is left behind then
 */
export async function writeVerified(
  out: string,
  expected: Adapted,
  write: (temporary: string) => void,
  open: (temporary: string) => Promise<Adapted>,
): Promise<number> {
  assertFree(out)
  const temporary = `${out.replace(/\/+$/, '')}.tmp-${process.pid}`
  try {
    write(temporary)
    const gap = await logitGap(expected, await open(temporary))
    if (!(gap <= TOLERANCE))
      throw new UserError(`The logits of the result ${logitGapText(gap)}; nothing was written. Check that these belong together.`)
    rmSync(out, { recursive: true, force: true })
    renameSync(temporary, out)
    return gap
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
