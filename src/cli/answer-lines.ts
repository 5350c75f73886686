import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { writeAtomically } from '../weights/atomic-file.ts'

const found = (path: string) => explained(path, () => statSync(path, { bigint: true, throwIfNoEntry: false }))

/** Throws UserError where `--output` cannot take answers to the rows of `data`: asked before there are any. */
export function assertTakesAnswers(output: string, data: string | undefined): void {
  const folder = dirname(output)
  if (!found(folder)?.isDirectory()) throw new UserError(`--output ${output}: there is no folder ${folder}; make it, or choose another.`)
  explained(folder, () => accessSync(folder, constants.W_OK))
  const [there, rows] = [found(output), data === undefined ? undefined : found(data)]
  if (there && !there.isFile()) throw new UserError(`--output ${output} is no regular file; give another, or leave it out to print.`)
  // By whatever names they go.
  if (there && rows && there.dev === rows.dev && there.ino === rows.ino)
    throw new UserError(`--output ${output} is the file of --data, which answers would overwrite; choose another.`)
}

/** Writes one JSON object a line, whole or not at all. */
export function writeLines(file: string, lines: readonly string[]): void {
  const encoder = new TextEncoder()
  writeAtomically(file, (append) => {
    for (const line of lines) append(encoder.encode(line))
  })
}
