import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { jsonLines } from '../data/jsonl.ts'
import { readRows } from '../data/read-rows.ts'
import { type RowRange, rowsWithin } from '../data/row-range.ts'
import { UserError } from '../errors.ts'
import { permutation } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { writeText } from '../weights/atomic-file.ts'
import { fileDigest } from '../weights/digest.ts'
import { makeFolder } from '../weights/file-access.ts'

/** The training rows in two files below `folder`: what is left to train on, and a share of them to choose by; made once for what the file holds. */
async function split(
  file: string,
  range: RowRange | undefined,
  share: number,
  folder: string,
): Promise<{ train: string; eval: string; rows: null }> {
  const name = createHash('sha256')
    .update(JSON.stringify([fileDigest(file), share, ...(range === undefined ? [] : [range])]))
    .digest('hex')
    .slice(0, 8)
  const files = { train: join(folder, `${name}-train.jsonl`), eval: join(folder, `${name}-held-out.jsonl`), rows: null }
  if (existsSync(files.eval)) return files
  const rows = rowsWithin(await readRows(file), range, 'data.rows.train')
  const count = Math.round(share * rows.length)
  if (count < 1 || count === rows.length)
    throw new UserError(
      `learningRates.heldOut: ${share} of the ${rows.length} rows of ${file} leaves none on one side; choose another share.`,
    )
  const held = new Set(permutation(rows.length, keyOf('held out', rows.length)).subarray(0, count))
  makeFolder(folder)
  writeText(files.train, jsonLines(rows.filter((_, i) => !held.has(i))))
  writeText(files.eval, jsonLines(rows.filter((_, i) => held.has(i))))
  return files
}

/**
 * The run on training rows alone, to choose a setting by: evaluated on some that are held out, or with `data.shots` on as many others.
 * @throws UserError where those would be the rows that arms are compared on
 */
export async function onTrainingRows(run: RunConfig, share: number, folder: string): Promise<RunConfig> {
  const { data } = run
  if (data.shots === null) return { ...run, data: { ...data, ...(await split(data.train, data.rows?.train, share, folder)), test: null } }
  if (data.evalShots !== null && data.test === null)
    throw new UserError('learningRates: with data.evalShots the rows to choose by are those to compare on; give data.eval or data.test.')
  return { ...run, data: { ...data, eval: null, evalShots: data.shots, test: null } }
}
