/** Lines ended by `\n` or `\r\n` alone: node:readline would also break at U+2028, which JSON strings may hold as it is. */
export async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let open = ''
  for await (const chunk of chunks) {
    const parts = (open + chunk).split('\n')
    open = parts.pop()!
    yield* parts
  }
  yield open
}
