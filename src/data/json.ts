import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Row } from './row.ts'
import { textChunks } from './text-chunks.ts'

const question = z.looseObject({ question: z.unknown() })
const paragraph = z.looseObject({ context: z.unknown(), qas: z.array(question) })
/** SQuAD's own files: articles of paragraphs with questions. */
const squad = z.object({ data: z.array(z.looseObject({ title: z.unknown(), paragraphs: z.array(paragraph) })) })
const objects = z.array(z.record(z.string(), z.unknown()))

/** One row a question, with the paragraph's other fields. */
const flattened = ({ data }: z.infer<typeof squad>): Record<string, unknown>[] =>
  data.flatMap(({ title, paragraphs }) =>
    paragraphs.flatMap(({ qas, ...paragraph }) => qas.map((question) => ({ title, ...paragraph, ...question }))),
  )

const rowsIn = z.union([objects, squad.transform(flattened)])

/**
 * The rows of a .json file: a list of objects, or the articles of a SQuAD file with one row a question. Their lines are their numbers.
 * UserError for a file that is neither.
 */
export async function* jsonRows(file: string): AsyncGenerator<Row> {
  let text = ''
  for await (const chunk of textChunks(file)) text += chunk
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${file}: not JSON (${(error as Error).message}). For one object a line the name must end in .jsonl.`)
  }
  const found = rowsIn.safeParse(value)
  if (!found.success) {
    throw new UserError(
      `${file}: expected a list of objects, or {"data": [{"paragraphs": [{"context", "qas": [{"question", ...}]}]}]} as in SQuAD.`,
    )
  }
  for (const [i, row] of found.data.entries()) yield { values: new Map(Object.entries(row)), file, line: i + 1 }
}
