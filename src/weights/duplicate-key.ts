const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d

/**
 * The first key given twice within one object of `json`, or undefined. `JSON.parse` keeps the last one without a word.
 * `json` must have passed `JSON.parse`: then only strings and braces need a look. Keys are compared decoded.
 */
export function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = []
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i)
    if (code === OPEN) open.push(new Set())
    else if (code === CLOSE) open.pop()
    else if (code === QUOTE) {
      const end = closingQuote(json, i)
      if (json.charCodeAt(afterSpace(json, end + 1)) === COLON) {
        const raw = json.slice(i, end + 1)
        const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
        const seen = open[open.length - 1]
        if (seen?.has(key)) return key
        seen?.add(key)
      }
      i = end
    }
  }
  return undefined
}

function closingQuote(json: string, start: number): number {
  let i = start + 1
  while (i < json.length && json.charCodeAt(i) !== QUOTE) i += json.charCodeAt(i) === BACKSLASH ? 2 : 1
  return i
}

function afterSpace(json: string, start: number): number {
  let i = start
  while (i < json.length && json.charCodeAt(i) <= 0x20) i++
  return i
}
