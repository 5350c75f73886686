import { writeAtomically } from '../weights/atomic-file.ts'

/** Writes one JSON object a line, whole or not at all. */
export function writeLines(file: string, lines: readonly string[]): void {
  const encoder = new TextEncoder()
  writeAtomically(file, (append) => {
    for (const line of lines) append(encoder.encode(line))
  })
}
