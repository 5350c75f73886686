import { textRows } from '../src/data/plain-text.ts'
import { loadTokenizer } from '../src/data/tokenizer.ts'

/** How often each token occurs in the texts of a file. */
async function counts(folder: string, file: string, vocabulary: number): Promise<Float64Array> {
  const { tokens } = loadTokenizer(folder)
  const found = new Float64Array(vocabulary)
  for await (const { values } of textRows(file)) for (const id of tokens(values.get('text') as string)) found[id]! += 1
  return found
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)

/**
 * How well hidden words are told by how often each occurs in the corpus alone: always the most frequent one, and the perplexity of the
 * frequencies, each count one more than it is.
 */
export async function unigram(
  folder: string,
  corpus: string,
  heldOut: string,
  vocabulary: number,
): Promise<{ accuracy: number; perplexity: number }> {
  const [known, asked] = [await counts(folder, corpus, vocabulary), await counts(folder, heldOut, vocabulary)]
  const [all, questions] = [sum(known) + vocabulary, sum(asked)]
  const most = known.indexOf(known.reduce((a, b) => Math.max(a, b)))
  const loss = asked.reduce((total, times, id) => total - times * Math.log((known[id]! + 1) / all), 0) / questions
  return { accuracy: asked[most]! / questions, perplexity: Math.exp(loss) }
}
